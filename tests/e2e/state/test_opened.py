from __future__ import annotations

OPEN = """
    const { opened } = await import('/state/opened.js');
    const { SETTINGS } = await import('/contract.js');
    const thing = (name, image) => ({
      name, color: [1, 2, 3], settings: SETTINGS,
      clicks: [{ image, x: 0.5, y: 0.5, positive: true }],
      locks: [], strokes: [],
    });
    const image = (name) => ({ name, width: 4, height: 3 });
    const file = {
      things: [thing('cat', 0), thing('dog', 1)], exclusive: true, overlaps: false, skipped: [],
      images: input.of.map(image),
    };
    const { prompt, problem } = opened(file, { images: input.on.map(image) });
    if (!prompt) return problem;
    return [prompt, ...prompt.below].map(({ name, clicks }) => [name, clicks[0].image]);
"""


def test_clicks_find_their_images_whatever_order_those_are_in(run):
    found = run(OPEN, {"of": ["a", "b"], "on": ["b", "a"]})
    assert found == [["cat", 1], ["dog", 0]]


def test_without_a_word_of_images_the_places_are_right(run):
    assert run(OPEN, {"of": [], "on": ["b", "a"]}) == [["cat", 0], ["dog", 1]]


def test_clicks_on_other_images_are_not_taken_and_it_is_said_on_which_they_are(run):
    said = run(OPEN, {"of": ["a", "b", "c", "d", "e"], "on": ["a", "b"]})
    assert said == (
        "This prompt file belongs to other images: a, b, c and 2 more. "
        "Open those first. For any other images there is the recipe, which a download can hold too."
    )


def test_settings_come_back_as_they_were_sent(run):
    found = run(
        """
        const settings = await import('/state/settings.js');
        const rule = { name: 'tutorial', ...settings.SETTINGS.tutorial, threshold: 0.7 };
        const sent = { rule, one_only: true, outline: 'tokens', fill_holes: 5, remove_specks: 7 };
        return [settings.toMessage(settings.fromMessage(sent), ['tokens', 'photo']), sent];
        """
    )
    assert found[0] == found[1]
