"""Masks of all images and what made them -> files, and prompts back in.

labelled.py        what is exported: masks of several things, one image at a time
orientation.py     upright or as a file stores it
format.py          what every format is
registry.py        which formats there are to choose
archive.py         the chosen ones in one ZIP file
hub_push.py        files of a data set to the Hugging Face Hub
prompt_json.py     the things and what else made the masks; read again as well
rings.py           a mask -> polygons, holes bridged
rle.py             a mask -> lengths of runs

Each a format:

binary_png.py      masks, black and white
indexed_png.py     numbers of things in one picture, and a legend
coco.py            one JSON file of all
yolo.py            polygons, a text file an image
labelme.py         polygons, a JSON file an image
parquet.py         a data set of photos and masks; dataset_card.py says what is in it
cutouts.py         each thing alone
overlays.py        photos with the things tinted
heatmaps.py        how well each pixel fits, in grey
summary.py         a table of how much of each thing is where
sheet.py           all images in one picture
recipe.py          what says the same of other images
"""
