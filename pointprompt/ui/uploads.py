"""What an upload may hold: files. Anything else would be kept in memory, however large it is.

Knows the form of such a request. Knows nothing of what reads it.
"""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

NOT_FILES = "An upload may hold files only."


class UploadError(ValueError):
    """An upload that the page would not send; the message is a sentence."""


class OnlyFiles:
    """Sees the body of an upload come by, and objects to any part of it that is no file."""

    def __init__(self, content_type: str) -> None:
        """Look at a body of this content type.

        Raises:
            UploadError: It says nothing of parts.
        """
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise UploadError(NOT_FILES)
        self._name, self._value = b"", b""
        self._is_file = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_name,
                "on_header_value": self._add_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
            },
        )

    def feed(self, body: bytes) -> None:
        """Look at the next bytes.

        Raises:
            UploadError: They belong to something that is no file, or to no upload at all.
        """
        try:
            self._parser.write(body)
        except FormParserError as error:
            raise UploadError(NOT_FILES) from error

    def _begin_part(self) -> None:
        self._name, self._value, self._is_file = b"", b"", False

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._is_file = b"filename" in parse_options_header(self._value)[1]
        self._name, self._value = b"", b""

    def _end_headers(self) -> None:
        if not self._is_file:
            raise UploadError(NOT_FILES)
