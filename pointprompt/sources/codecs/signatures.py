"""The first bytes of a file -> the format it is in, and what to say where that cannot be read.

Knows marks at the start of files. Does not know how any format is decoded.
"""

from __future__ import annotations

import struct
from pathlib import PurePath

# Enough of a file's start for `format_of`.
START_BYTES = 512

# The formats that can be read, each with the suffix that files of it are given.
SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WebP": ".webp",
    "HEIC": ".heic",
    "AVIF": ".avif",
    "TIFF": ".tif",
    "GIF": ".gif",
    "BMP": ".bmp",
    "DIB": ".dib",
    "JPEG XL": ".jxl",
    "JPEG 2000": ".jp2",
    "PNM": ".pnm",
    "TGA": ".tga",
    "QOI": ".qoi",
    "ICO": ".ico",
    "PSD": ".psd",
}
# What files are named in which there are photos, and all those that can be read.
# fmt: off
PHOTO_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".dib", ".tif", ".tiff",
    ".gif", ".avif", ".heic", ".heif", ".hif", ".jxl", ".jp2", ".j2k", ".jpx", ".jpf", ".ppm",
    ".pgm", ".pbm", ".pnm", ".pam", ".tga",
)
# fmt: on
READABLE_SUFFIXES = (
    *PHOTO_SUFFIXES,
    ".pfm",
    ".icb",
    ".vda",
    ".vst",
    ".qoi",
    ".ico",
    ".cur",
    ".psd",
)
READABLE = (
    "JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF, BMP, JPEG XL, JPEG 2000, PNM, TGA, QOI, ICO and PSD "
    "can be read"
)

# (where in the file, what stands there, the format). The first match counts.
_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"GIF8", "GIF"),
    (8, b"CR\x02", "camera raw"),
    (0, b"IIRO", "camera raw"),
    (0, b"IIRS", "camera raw"),
    (0, b"MMOR", "camera raw"),
    (0, b"IIU\0", "camera raw"),
    (0, b"FUJIFILMCCD-RAW", "camera raw"),
    (0, b"\0MRM", "camera raw"),
    (0, b"FOVb", "camera raw"),
    (6, b"HEAPCCDR", "camera raw"),
    (4, b"ftypcrx ", "camera raw"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"qoif", "QOI"),
    (0, b"8BPS\0\1", "PSD"),
    (0, b"8BPS\0\2", "Photoshop's large kind (PSB)"),
    (0, b"BM", "BMP"),
    (0, b"%PDF", "PDF"),
    (0, b"%!PS", "PostScript"),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript"),
    (0, b"gimp xcf", "GIMP's own (XCF)"),
    (0, b"v/1\1", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"#?RGBE", "Radiance HDR"),
    (0, b"DDS ", "DDS"),
    (0, b"icns", "Apple's icon (ICNS)"),
    (0, b"II\xbc\1", "JPEG XR"),
    (0, b"SIMPLE  =", "FITS"),
    (128, b"DICM", "DICOM"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5"),
    (0, b"CDF\1", "NetCDF"),
    (0, b"CDF\2", "NetCDF"),
    (0, b"\x93NUMPY", "NumPy"),
    (0, b"/* XPM */", "XPM"),
    (0, b"\1\xda", "SGI"),
    (0, b"\x59\xa6\x6a\x95", "Sun raster"),
    (0, b"\xd7\xcd\xc6\x9a", "WMF"),
    (40, b" EMF", "EMF"),
    (0, b"AT&TFORM", "DjVu"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM video"),
    (8, b"AVI ", "AVI video"),
    (8, b"WAVE", "WAVE sound"),
    (0, b"\0\0\1\xba", "MPEG video"),
    (0, b"\0\0\1\xb3", "MPEG video"),
    (0, b"ID3", "MP3 sound"),
    (0, b"PK\3\4", "ZIP"),
    (0, b"PK\5\6", "ZIP"),
    (0, b"Rar!", "RAR"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (0, b"\x1f\x8b", "gzip"),
    (257, b"ustar", "tar"),
    (0, b"PAR1", "Parquet"),
    (0, b"{\\rtf", "RTF"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Microsoft Office"),
)
# Brands of an ISO media file ("ftyp"): what is in it.
_BRANDS = {
    "AVIF": (b"avif", b"avis"),
    "HEIC": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1"),
}
_TEXTS = (
    (b"<svg", "SVG"),
    (b"<!doctype svg", "SVG"),
    (b"<!doctype html", "HTML"),
    (b"<html", "HTML"),
    (b"<?xml", "XML"),
)
_TGA_SUFFIXES = (".tga", ".icb", ".vda", ".vst")
_TGA_TYPES = {1: (8, 16), 2: (15, 16, 24, 32), 3: (1, 8, 16)}
# Files of these suffixes are TIFFs whose first picture is a small preview.
# fmt: off
_RAW_SUFFIXES = (
    ".3fr", ".arw", ".cr2", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".k25", ".kdc", ".mef", ".mos",
    ".nef", ".nrw", ".pef", ".ptx", ".raw", ".rwl", ".sr2", ".srf", ".srw",
)
# fmt: on


def format_of(start: bytes, name: str = "") -> str | None:
    """Return the format's name, None if the bytes are of none that is known.

    Args:
        start: The file's first bytes, `START_BYTES` of them where there are as many.
        name: The file's name. It counts only for TGA, which has no mark of its own, and to tell
            camera raw files from other TIFFs.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix in _TGA_SUFFIXES and _is_tga(start):
        return "TGA"
    found = next((kind for at, mark, kind in _SIGNATURES if start.startswith(mark, at)), None)
    if found == "TIFF" and suffix in _RAW_SUFFIXES:
        return "camera raw"
    if found is not None:
        return found
    if start[4:8] == b"ftyp":
        return _media_format(start)
    return _headed_format(start) or _text_format(start)


def refusal(start: bytes, found: str | None, name: str = "") -> str:
    """Return the sentence that says why a file of this format is not read."""
    base = PurePath(name).name
    if base.startswith("._") or base == ".DS_Store" or start.startswith(b"\0\5\x16\7"):
        return "A side file of macOS, not a photo."
    if not start:
        return "The file is empty."
    if found == "camera raw":
        return "The file is a camera raw file; develop it to JPEG, PNG or TIFF first."
    if found is None:
        return f"The file is not an image in a format that can be read; {READABLE}."
    return f"The file's format is {found}; {READABLE}."


def _media_format(start: bytes) -> str:
    """Return what an ISO media file holds, by its major brand, else by those it fits as well."""
    length = int.from_bytes(start[:4], "big")
    brands = [start[8:12], *(start[at : at + 4] for at in range(16, min(length, len(start)), 4))]
    for kind, own in _BRANDS.items():
        # "mif1" says only that it is a picture; its coding stands among the others.
        if brands[0] in own and brands[0] != b"mif1":
            return kind
    if brands[0] in (b"mif1", b"msf1", b"MiHE", b"miaf"):
        return "AVIF" if any(brand in _BRANDS["AVIF"] for brand in brands) else "HEIC"
    return "MP4 or QuickTime video"


def _headed_format(start: bytes) -> str | None:
    """Return the format of files that have no mark but a header that is hard to mistake."""
    if start[:1] == b"P" and start[1:2] in b"1234567fF" and start[2:3] in b" \t\r\n":
        return "PNM" if start[1:2] else None
    if start[:4] in (b"\0\0\1\0", b"\0\0\2\0") and start[4:6] not in (b"", b"\0\0"):
        return "ICO"
    # A BITMAPINFOHEADER of 40 bytes, and one plane.
    if start[:4] == b"\x28\0\0\0" and start[12:14] == b"\1\0":
        return "DIB"
    return None


def _text_format(start: bytes) -> str | None:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    found = next((kind for mark, kind in _TEXTS if text.startswith(mark)), None)
    return "SVG" if found == "XML" and b"<svg" in text else found


def _is_tga(start: bytes) -> bool:
    if len(start) < 18:
        return False
    colormap, kind, width, height, depth = struct.unpack_from("<xBB9xHHB", start)
    return (
        colormap in (0, 1)
        and width > 0
        and height > 0
        # The kinds above 8 are run-length coded.
        and depth in _TGA_TYPES.get(kind % 8 if kind > 8 else kind, ())
    )
