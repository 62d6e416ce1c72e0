"""What the page asks for, done: the core's functions, with sessions and files around them.

Knows the core, sessions, `wire`, and what takes turns: what needs the model, and what fills the
memory. Nobody waits for the downloads or the reading of others. Knows nothing of gradio: `page`
turns what happens here into widgets, and what is raised here into messages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.entry import Entry
from pointprompt.analysis.store import Store
from pointprompt.backbones import BackboneError
from pointprompt.engines.engine import Engine, ThisProcess
from pointprompt.formats.prompt_json import read_prompt
from pointprompt.server import addresses, memory, parsing, session_files, wire
from pointprompt.server.applying_files import ApplyingFiles, InTurn
from pointprompt.server.exports import Exports, largest_of
from pointprompt.server.fetching import (
    Fetch,
    is_among,
    link_photos,
    linked_photos,
    make_files,
)
from pointprompt.server.jobs import LAST_STAGE
from pointprompt.server.mask_files import MaskFile, write_masks
from pointprompt.server.opening import Opening, Prepared
from pointprompt.server.recalls import REMOVED, NotRecalled, Recalls
from pointprompt.server.session import Session, SessionGone
from pointprompt.server.sessions import SessionStore
from pointprompt.server.turns import Lane, Place, Turns
from pointprompt.server.videos import Note, Videos
from pointprompt.server.whole_photos import WholePhotos, is_larger
from pointprompt.settings import JointRule
from pointprompt.sources.examples import ExampleSet
from pointprompt.sources.photos import ImageSource, Limits
from pointprompt.types import (
    BackboneRequest,
    Photo,
    Progress,
    ProgressFn,
    Rejected,
    TokenPrediction,
    tell_nobody,
)

if TYPE_CHECKING:
    from pointprompt.recipes.opened import Opened as OpenedRecipe
    from pointprompt.recipes.recipe import Recipe
    from pointprompt.rules.predictor import Predictor
    from pointprompt.server.readers import Readers

_log = logging.getLogger(__name__)
T = TypeVar("T")

# What all sets that are under way may take together; what computing one takes comes on top.
_SETS_BYTES = 512 << 20
# Of a photo's preview: those of busy photos have so much.
_PREVIEW_BYTES = 300_000

GONE = (
    "This analysis is no longer in the server's memory. Your clicks are still here: "
    "analyse the same images again to go on."
)


class Opened(NamedTuple):
    """A new session.

    Attributes:
        session: The session.
        rejected: The images that could not be used.
        added: How many images are new in it.
    """

    session: Session
    rejected: tuple[Rejected, ...]
    added: int


class Pushed(NamedTuple):
    """A data set on the Hub that was written.

    Attributes:
        name: Its whole name.
        address: Of its page.
    """

    name: str
    address: str


class Service:
    """The server's side of all pages."""

    def __init__(
        self,
        store: SessionStore,
        limits: Limits,
        engine: Engine | None = None,
        readers: Readers | None = None,
        opening: ExampleSet | None = None,
        *,
        stored: Store | None = None,
    ) -> None:
        """Serve the sessions of a store.

        Args:
            store: The sessions.
            limits: Of the image sets.
            engine: Where analyses are computed; None takes this process.
            readers: Where images are read; None takes this process.
            opening: The example that pages open with, once `prepare_opening` was called; None for
                none.
            stored: Where analyses are kept beyond their sessions; None keeps none.
        """
        self.store = store
        self.limits = limits
        self._engine = engine or ThisProcess()
        self._readers = readers
        self._computing = Turns()
        self._lane = Lane("engine")
        self._sets = Turns(_SETS_BYTES)
        self._exports = Exports(self._engine)
        self.applying = ApplyingFiles(
            InTurn(self._engine, self._in_new_turn),
            limits,
            readers.reader if readers else nullcontext,
            self._exports.turn,
        )
        self._wholes = WholePhotos()
        self.videos = Videos(readers, limits)
        self._opening = Opening(opening) if opening else None
        self._stored = stored
        self._recalls = Recalls(stored.folder) if stored is not None else None

    @property
    def has_opening(self) -> bool:
        """Whether pages open with an example, now or once it is ready."""
        return self._opening is not None and not self._opening.failed

    def prepare_opening(self, request: BackboneRequest, engine: Engine) -> None:
        """Analyse the example that pages open with, once for all who come; nothing without one.

        Args:
            request: The backbone.
            engine: Where it is computed: it must be no matter of any visitor's.
        """
        if self._opening is None:
            return
        try:
            prepared = self._prepared(make_files(self._opening.example), request, engine)
        except Exception:
            # Everybody can do without it.
            _log.exception("There is no example to open pages with")
            self._opening.fail()
        else:
            self._opening.ready(prepared)

    def _prepared(self, fetch: Fetch, request: BackboneRequest, engine: Engine) -> Prepared:
        from pointprompt import pipeline

        with self._computing.place() as place, self._new_folder() as folder:
            images = session_files.subfolder(folder, session_files.IMAGES)
            analysis = pipeline.analyze_readable(
                fetch(images, tell_nobody),
                request,
                engine,
                limits=Limits(),  # Of the images that people bring, ours are none.
                all_or_none=True,
                in_turn=lambda work: self._in_turn(work, place, tell_nobody),
            ).analysis
            session_files.write_tiles(folder, analysis)
            return Prepared(folder, analysis, _ready_predictor(analysis))

    def open_example(self, page: str, progress: ProgressFn, visitor: str = "") -> Session | None:
        """A session of the visitor's own with the example that pages open with.

        It is waited for where it is not ready. None where the page shows a set by then.

        Args:
            page: The page that comes without a set.
            progress: Told now and then; it may raise to give up.
            visitor: Whose the session will be.

        Raises:
            LookupError: There is no such example, or it could not be prepared.
        """
        if self._opening is None:
            raise LookupError("Pages open without an example here.")
        prepared = self._opening.wait(progress)
        if self.store.shows(page):
            return None
        with self._new_folder() as folder:
            session_files.link_pictures(prepared.folder, folder)
            progress(Progress(LAST_STAGE, 0, 1))
            return self.store.add(
                folder,
                prepared.analysis,
                prepared.predictor,
                page,
                visitor=visitor,
                example=self._opening.example.description,
                shares=True,
            )

    def analyze(
        self,
        fetch: Fetch,
        request: BackboneRequest,
        page: str,
        progress: ProgressFn,
        visitor: str = "",
        *,
        example: str = "",
    ) -> Opened:
        """A new session with the analysis of the images.

        Args:
            fetch: Gets the images.
            request: The backbone.
            page: The page that the session will belong to; "" where a program asks. Its earlier
                session stays until this one is ready, so that a failure loses nothing.
            progress: Told of every step; it may raise to cancel.
            visitor: Whose the session will be; "" where that cannot be told.
            example: What to try with the images, where they are an example.

        Raises:
            ValueError: One of its kinds from the core, with a sentence for the user.
        """
        with self._computing.place() as place, self._new_folder() as folder:
            paths = fetch(session_files.subfolder(folder, session_files.IMAGES), progress)
            return self._open(
                folder,
                paths,
                page,
                progress,
                place,
                request=request,
                visitor=visitor,
                example=example,
            )

    def extend(self, fetch: Fetch, page: str, progress: ProgressFn, visitor: str = "") -> Opened:
        """A new session with more images behind those of the page's.

        By our own rule, the masks of the others stay as they are. Images that are in the set
        already, byte for byte, are left out.

        Args:
            fetch: Gets the images.
            page: The page. As for `analyze`, its session stays until the new one is ready.
            progress: As for `analyze`.
            visitor: Whose the page's session is.

        Raises:
            SessionGone: The page has none.
            ValueError: As for `analyze`.
        """
        from pointprompt.pipeline import room_in
        from pointprompt.sources.photos import ImageError

        shown = self.store.of_page(page, visitor)
        room_in(shown.analysis, self.limits)  # Before anything is downloaded.
        with (
            self.store.using(shown.token, visitor) as before,
            self._computing.place() as place,
            self._new_folder() as folder,
        ):
            photos = linked_photos(before.analysis.photos, folder)
            fetched = fetch(session_files.subfolder(folder, "added"), progress)
            paths = [path for path in fetched if not is_among(path, photos)]
            if fetched and not paths:
                raise ImageError("All of these images are in the set already.")
            return self._open(
                folder,
                paths,
                page,
                progress,
                place,
                request=before.analysis.backbone.request,
                visitor=visitor,
                onto=replace(before.analysis, photos=photos),
                recipe=before.recipe,
                joins=before.token,
                kept=tuple(range(len(photos))),
            )

    def open_recipe(
        self, message: object, page: str, progress: ProgressFn, visitor: str = ""
    ) -> Opened:
        """A new session with the page's images, in the terms of a recipe and with its things.

        Args:
            message: The recipe.
            page: The page. As for `analyze`, its session stays until the new one is ready.
            progress: As for `analyze`.
            visitor: Whose the page's session is.

        Raises:
            SessionGone: The session was freed.
            ValueError: The message is malformed, or as for `pipeline.open_recipe`.
        """
        from pointprompt import pipeline
        from pointprompt.recipes import file
        from pointprompt.recipes.opened import ground_of

        asked, data = parsing.parse_recipe(message)
        recipe = file.decode(data)
        with (
            self.store.using(asked.session, visitor) as before,
            self._computing.place() as place,
            self._new_folder() as folder,
        ):
            pipeline.check_recipe(recipe, self._engine, progress)
            photos = linked_photos(before.analysis.photos, folder)
            return self._open(
                folder,
                [photo.source for photo in photos],
                page,
                progress,
                place,
                request=recipe.backbone.request,
                names=[photo.name for photo in photos],
                visitor=visitor,
                example=before.example,
                onto=ground_of(recipe),
                recipe=recipe,
                joins=before.token,
                kept=tuple(range(len(photos))),
                all_or_none=True,
            )

    def _open(
        self,
        folder: Path,
        paths: Sequence[ImageSource],
        page: str,
        progress: ProgressFn,
        place: Place,
        *,
        request: BackboneRequest,
        visitor: str,
        names: Sequence[str] | None = None,
        example: str = "",
        onto: Analysis | None = None,
        recipe: Recipe | None = None,
        joins: str = "",
        kept: tuple[int, ...] = (),
        all_or_none: bool = False,
    ) -> Opened:
        """The session of the images, behind those of the analysis that they join."""
        from pointprompt import pipeline

        side = self._engine.prepare(request, progress).side
        with self._sets.take(self._set_bytes(paths, onto, side), progress):
            analysis, rejected, added, key = pipeline.analyze_readable(
                paths,
                request,
                self._engine,
                joins=onto,
                names=names,
                limits=self.limits,
                all_or_none=all_or_none,
                reader=self._readers.reader if self._readers else nullcontext,
                in_turn=lambda work: self._in_turn(work, place, progress),
                store=self._stored,
                progress=progress,
            )
            session_files.write_tiles(folder, analysis)
        opened = _opened(recipe, analysis)
        predictor = opened.predictor if opened else _ready_predictor(analysis)
        progress(Progress(LAST_STAGE, 0, 1))
        session = self.store.add(
            folder,
            predictor.analysis,
            predictor,
            page,
            joins=joins,
            kept=kept,
            visitor=visitor,
            example=example,
            stored=key,
            opened=opened,
        )
        return Opened(session, rejected, added)

    def remove(
        self, message: object, page: str, progress: ProgressFn, visitor: str = ""
    ) -> Session:
        """A new session without one image of the page's, which goes on with all else.

        Args:
            message: Which image.
            page: The page. As for `analyze`, its session stays until the new one is ready.
            progress: As for `analyze`.
            visitor: Whose the page's session is.

        Raises:
            SessionGone: The session was freed.
            ValueError: The message is malformed, or the image is the only one, or is not there.
        """
        from pointprompt import pipeline

        request = parsing.parse_remove(message)
        with (
            self.store.using(request.session, visitor) as before,
            self._new_folder() as folder,
        ):
            analysis = pipeline.without(before.analysis, {request.image})
            analysis = replace(analysis, photos=linked_photos(analysis.photos, folder))
            session_files.write_tiles(folder, analysis)
            key = ""
            if self._stored and before.stored:
                self._engine.prepare(analysis.backbone.request, progress)
                key = pipeline.keep(self._stored, analysis, before.analysis, self._engine)
            kept = [i for i in range(len(before.analysis.photos)) if i != request.image]
            opened = _opened(before.recipe, analysis)
            return self.store.add(
                folder,
                analysis,
                opened.predictor if opened else _ready_predictor(analysis),
                page,
                joins=before.token,
                kept=tuple(kept),
                visitor=visitor,
                example=before.example,
                stored=key,
                opened=opened,
            )

    def fetch_files(
        self,
        files: Sequence[str | Path],
        every: object,
        note: Note,
        page: str = "",
        visitor: str = "",
    ) -> Fetch:
        """What fetches files that are here: images, and every so many-th frame of videos.

        Args:
            files: The files.
            every: What a browser sent; see `Videos.fetch`.
            note: Told what there is to say of a video.
            page: The page whose set they join; "" for a new set.
            visitor: Whose the page's session is.
        """

        def joined() -> Sequence[Photo]:
            return self.store.of_page(page, visitor).analysis.photos if page else ()

        return self.videos.fetch(files, every, joined, note)

    def recall(self, session: Session) -> str:
        """What opens a session's set again for its visitor, whenever; "" where nothing will.

        It is for the visitor's browser to keep: the server does not.
        """
        if self._recalls is None:
            return ""
        names = [photo.name for photo in session.analysis.photos]
        return self._recalls.token(session.stored, names, session.visitor)

    def open_recalled(self, token: str, page: str, progress: ProgressFn, visitor: str) -> Session:
        """A new session with a stored set, which another version of us analyses anew.

        Args:
            token: From `recall`.
            page: As for `analyze`.
            progress: As for `analyze`.
            visitor: Whose the set is.

        Raises:
            NotRecalled: The set is not this visitor's, or not stored any more.
            ValueError: As for `analyze`.
        """
        if self._stored is None or self._recalls is None:
            raise NotRecalled(REMOVED)
        key, names = self._recalls.read(token, visitor)
        with self._stored.using(key) as entry:
            if entry is None:
                raise NotRecalled(REMOVED)
            analysis = _called(entry.analysis, names)
            if not self._is_of_today(entry, progress):
                request = analysis.backbone.request
                fetch = link_photos(analysis.photos)
                return self.analyze(fetch, request, page, progress, visitor).session
            with self._new_folder() as folder:
                analysis = replace(analysis, photos=linked_photos(analysis.photos, folder))
                session_files.write_tiles(folder, analysis)
                predictor = _ready_predictor(analysis)
                progress(Progress(LAST_STAGE, 0, 1))
                return self.store.add(
                    folder, analysis, predictor, page, visitor=visitor, stored=key
                )

    def _is_of_today(self, entry: Entry, progress: ProgressFn) -> bool:
        """Whether a set that is stored would be analysed just so today, within today's limits."""
        from pointprompt import pipeline

        request = entry.analysis.backbone.request
        try:
            self._engine.prepare(request, progress)
            today = pipeline.conditions_of(self._engine, request)
        except BackboneError:  # Clicks on what is there need no backbone.
            return True
        was = entry.conditions
        today = replace(today, n_eigvecs=was.n_eigvecs, seed=was.seed, joins=was.joins)
        return today == was and len(entry.analysis.photos) <= self.limits.max_images

    def _set_bytes(self, paths: Sequence[ImageSource], before: Analysis | None, side: int) -> int:
        """About what the images take while they are on their way to a session."""
        most = self.limits.max_images - (len(before.photos) if before else 0)
        return min(len(paths), most) * (side * side * 3 + _PREVIEW_BYTES)

    def _in_new_turn(self, work: Callable[[], T]) -> T:
        """Do heavy work behind all that waits for its turn now."""
        with self._computing.place() as place:
            return self._in_turn(work, place, tell_nobody)

    def _in_turn(self, work: Callable[[], T], place: Place, progress: ProgressFn) -> T:
        """Do heavy work when its turn has come. Only one at a time, and in one thread."""
        with self._computing.turn(place, progress):
            try:
                return self._lane.do(work)
            finally:
                memory.give_back()

    def _new_folder(self) -> AbstractContextManager[Path]:
        """A folder for a session's files, gone again where there is no session in the end."""
        return session_files.gone_if_it_fails(self.store.new_folder())

    def manifest(self, session: Session, *, is_opened: bool = False) -> dict[str, Any]:
        """What the page must know to show the session.

        Args:
            session: The session.
            is_opened: Whether its recipe was just opened, and its things take the place of others.
        """
        key = session.picture_key
        images = range(len(session.analysis.photos))
        manifest = wire.Manifest.of(
            session.token,
            session.analysis,
            [addresses.tile(key, image) for image in images],
            addresses.colors(key),
            wholes=[
                (addresses.whole if is_larger(photo) else addresses.tile)(key, image)
                for image, photo in enumerate(session.analysis.photos)
            ],
            codes=[addresses.codes(key, image) for image in images],
            same=session.predictor.same,
            joins=session.joins,
            kept=session.kept,
            ticket=session.ticket,
            example=session.example,
            opening=session.shares,
            recall="" if session.example else self.recall(session),
            concepts=_concepts(session),
            opened=_wanted(session) if is_opened else None,
        )
        return wire.encode(manifest)

    def tile(self, key: str, index: int, visitor: str) -> Path:
        """Where the photo lies that the page shows of an image, if there is one.

        Raises:
            SessionGone: The visitor has no session with this key of its pictures.
        """
        return session_files.tile(self.store.of_picture_key(key, visitor).folder, index)

    def whole(self, key: str, index: int, visitor: str) -> Path:
        """Where the photo of an image lies at its own size.

        Raises:
            SessionGone: As for `tile`.
            ValueError: There is no such image, or no more to see of it than the tile shows.
            OSError: It could not be written.
        """
        token = self.store.of_picture_key(key, visitor).token
        with self.store.using(token, visitor) as session:
            return self._wholes.path(session, index)

    def codes(self, key: str, index: int, visitor: str) -> bytes:
        """What the page finds the margins of an image with.

        Raises:
            SessionGone: As for `tile`.
            ValueError: There is no such image.
        """
        # Here, since they import scikit-image.
        from pointprompt.masks.levels import small
        from pointprompt.masks.photo_edges import PhotoEdges

        analysis = self.store.of_picture_key(key, visitor).analysis
        if index >= len(analysis.photos):
            raise ValueError("There is no such image.")
        picture = small(PhotoEdges.of(analysis.photos[index]).pixels)
        return wire.encode_codes(analysis.codes[index], picture)

    def colors(self, key: str, visitor: str) -> Path:
        """Where the colour views lie.

        Raises:
            SessionGone: As for `tile`.
        """
        return session_files.colors(self.store.of_picture_key(key, visitor).folder)

    def download(self, key: str, name: str, visitor: str) -> Path:
        """Where the download with this name lies, if there is one.

        Raises:
            SessionGone: As for `tile`.
            ValueError: No download can have this name.
        """
        if not addresses.is_name(name):
            raise ValueError("No download has such a name.")
        return session_files.exported(self.store.of_picture_key(key, visitor).folder, name)

    def predict(self, message: object, visitor: str = "") -> dict[str, Any]:
        """The answer to a message of the page, whatever it holds: masks, or what is wrong."""

        def answer() -> wire.MasksAnswer:
            from pointprompt.pipeline import token_masks

            request = parsing.parse_predict(message)
            session, prediction = self._predict(request, visitor)
            masks = token_masks(session.analysis, prediction, request.settings, request.locks)
            return wire.MasksAnswer.of(request, prediction, masks)

        return _answered(message, answer)

    def edges(self, message: object, visitor: str = "") -> dict[str, Any]:
        """The answer to a message that asks for the masks of some images along their edges."""

        def answer() -> wire.EdgesAnswer:
            from pointprompt.pipeline import image_masks

            request = parsing.parse_edges(message)
            session, prediction = self._predict(request, visitor)
            analysis = session.analysis
            parsing.require_images(request, len(analysis.photos))
            edged = image_masks(
                analysis, prediction, request.clicks, request.settings, locks=request.locks
            )
            masks = {image: edged.within(image, request.side) for image in request.images}
            return wire.EdgesAnswer.of(request.seq, masks)

        return _answered(message, answer)

    def open_prompt(self, message: object, visitor: str = "") -> dict[str, Any]:
        """The answer to a message with a prompt file: what it says, or what is wrong with it."""

        def answer() -> wire.OpenedPrompt:
            from pointprompt.rules.predictor import NOT_OPEN

            request = parsing.parse_open(message)
            session = self.store.get(request.session, visitor)
            analysis = session.analysis
            file = read_prompt(request.text)
            concepts = {one.settings.concept for thing in file.things for one in thing.said} - {""}
            if not concepts <= set(session.predictor.known.concepts):
                raise ValueError(NOT_OPEN)
            if file.last_image >= (len(file.images) or len(analysis.photos)):
                raise ValueError("This prompt file speaks of an image that is not there.")
            return wire.OpenedPrompt.of(file)

        return _answered(message, answer)

    def export(self, message: object, progress: ProgressFn, visitor: str = "") -> Path:
        """A ZIP file in the session's folder with the masks of a message's prompt.

        Raises:
            SessionGone: The session was freed.
            ValueError: The message is malformed.
            OSError: It could not be written; then nothing of it is there.
        """
        return self.write_export(parsing.parse_export(message), progress, visitor)

    def write_export(
        self, request: wire.ExportRequest, progress: ProgressFn, visitor: str = ""
    ) -> Path:
        """As `export`, of a message that was checked."""
        with self.store.using(request.session, visitor) as session:
            return self._exports.write(session, request, progress)

    def masks(
        self,
        request: wire.ExportRequest,
        images: object,
        progress: ProgressFn,
        visitor: str = "",
    ) -> list[MaskFile]:
        """Files in the session's folder with the masks of a prompt.

        Args:
            request: The prompt.
            images: Indices of the images that masks are wanted of; None for all.
            progress: Told after every image, and while others come before; it may raise to cancel.
            visitor: Whose the session is.

        Raises:
            SessionGone: The session was freed.
            ValueError: There is no such image, or nothing is clicked, or the masks cannot be drawn
                as the settings want.
            OSError: A file cannot be written.
        """
        with self.store.using(request.session, visitor) as session:
            wanted = parsing.parse_images(images, len(session.analysis.photos))
            others = set(range(len(session.analysis.photos))) - set(wanted)
            request = replace(request, skipped=tuple(others | set(request.skipped)))
            with self._exports.turn(largest_of(session), progress):
                return write_masks(session, request, progress)

    def push(self, message: object, progress: ProgressFn, visitor: str = "") -> Pushed:
        """The data set on the Hub that has the photos and the masks of a message's prompt now.

        Raises:
            SessionGone: The session was freed.
            ValueError: The message is malformed, or the Hub does not take it; a sentence.
            OSError: A file could not be written or read.
        """
        request = parsing.parse_push(message)
        with self.store.using(request.export.session, visitor) as session:
            target = self._exports.push(session, request, progress)
            return Pushed(target.name, target.address)

    def download_address(self, message: object, path: Path, visitor: str = "") -> str:
        """Where a browser finds what `export` wrote for this message.

        Raises:
            SessionGone: The session was freed.
            ValueError: The message is malformed.
        """
        session = self.store.get(parsing.parse_export(message).session, visitor)
        return addresses.download(session.picture_key, path.parent.name)

    def _predict(
        self, request: wire.PredictRequest, visitor: str
    ) -> tuple[Session, TokenPrediction]:
        session = self.store.get(request.session, visitor)
        predict = session.predictor.predict
        return session, predict(request.clicks, request.settings, request.locks)


def _opened(recipe: Recipe | None, analysis: Analysis) -> OpenedRecipe | None:
    """A recipe on an analysis, if there is one, which no first click need wait for."""
    from pointprompt.recipes.opened import open_on

    if recipe is None:
        return None
    opened = open_on(recipe, analysis)
    opened.predictor.prepare(JointRule())
    return opened


def _wanted(session: Session) -> wire.OpenedPrompt | None:
    """What the recipe that is open on a session wants in its images."""
    if session.opened is None:
        return None
    return wire.OpenedPrompt(session.opened.things, session.opened.exclusive, False, (), ())


def _concepts(session: Session) -> tuple[wire.ManifestConcept, ...]:
    """What clicks of a session can go on from."""
    opened = session.opened
    if opened is None:
        return ()
    known, same = opened.predictor.known, opened.predictor.same
    images = dict(zip(known.numbers, same, strict=True))
    return tuple(
        wire.ManifestConcept.of(name, known.concepts[name], images, thing.clicks)
        for thing in opened.things
        if (name := thing.settings.concept)
    )


def _called(analysis: Analysis, names: Sequence[str]) -> Analysis:
    """The analysis with its photos called so."""
    photos = zip(analysis.photos, names, strict=True)
    return replace(analysis, photos=tuple(replace(photo, name=name) for photo, name in photos))


def _ready_predictor(analysis: Analysis) -> Predictor:
    """The predictor of an analysis, which the first click need not wait for."""
    from pointprompt.rules.predictor import Predictor

    predictor = Predictor(analysis)
    predictor.prepare(JointRule())
    return predictor


def _answered(message: object, answer: Callable[[], wire.Down]) -> dict[str, Any]:
    """The answer, or for an error what is wrong: a page must never wait in vain."""
    try:
        return wire.encode(answer())
    except SessionGone:
        return wire.encode(wire.Failure(parsing.seq_of(message), "gone", GONE))
    except ValueError as error:
        return wire.encode(wire.Failure(parsing.seq_of(message), "invalid", str(error)))
