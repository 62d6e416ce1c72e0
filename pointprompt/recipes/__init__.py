"""What was clicked in one set, as one file that says it of any image.

Knows terms, concepts and settings. Knows nothing of where images come from, masks of pixels,
sessions, or the files that masks are written to.

    recipe.py         what a recipe is, and what it says of the tokens of one image
    applied.py        what it says of one image
    making.py         an analysis and things to a recipe
    opened.py         a recipe and an analysis in its terms to things that clicks go on from
    file.py           a recipe to the bytes of its file, and back: believed in nothing unchecked
"""
