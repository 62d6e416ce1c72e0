// What the page knows of the server: the shapes of their messages, and values that both need.
// Written by `make contract` from the server's own; a test compares them.

/**
 * One labelled point.
 * @typedef {Object} Click
 * @property {number} image Index of the image in its set.
 * @property {number} x In [0, 1), from the left of the upright image.
 * @property {number} y In [0, 1), from its top.
 * @property {boolean} positive True for "this", False for "not this".
 */

/**
 * How our own rule, which weighs all clicks together, makes masks of margins.
 * @typedef {Object} JointRule
 * @property {"joint"} name
 * @property {number} threshold In [0, 1]: a token is inside where its heatmap, (margin + 1) / 2 to the power of gamma, is above.
 * @property {number} gamma In (0, 10]; larger is stricter.
 * @property {string} size One of `SIZES`: how much the first positive click means.
 * @property {string} concept Name of one that the clicks go on from, which a recipe brought; "" for none. With one, masks need no click, and the size says nothing.
 */

/**
 * How the tutorial's rule, in which every click votes, makes masks.
 * @typedef {Object} TutorialRule
 * @property {"tutorial"} name
 * @property {number} threshold In [0, 1]: a token belongs to a positive click's mask where its heatmap is above.
 * @property {number} gamma In (0, 10]; the power the heatmap is raised to. Larger is stricter.
 * @property {boolean} denoise Remove small connected regions from the masks of positive clicks.
 * @property {number} min_area At least 0; regions of fewer tokens than this are small.
 * @property {number} negative_threshold In [0, 1]; the same as `threshold` for negative clicks.
 * @property {number | null} n_eigvecs Use only the first so many eigenvectors; None uses all.
 */

/**
 * How clicks become masks.
 * @typedef {Object} Settings
 * @property {JointRule | TutorialRule} rule What makes margins of clicks.
 * @property {boolean} one_only Keep, of several alike things in an image, the one that was clicked; in an image without clicks, the best one.
 * @property {string} outline One of `OUTLINES`: what the masks of images follow.
 * @property {number} fill_holes Holes of fewer pixels of the image than this are filled; 0 fills none.
 * @property {number} remove_specks Regions of fewer pixels of the image than this are removed; 0 removes none.
 */

/**
 * Images whose masks were accepted: what later clicks and settings do not change in them.
 * @typedef {Object} Lock
 * @property {number[]} images Their indices in the set, at least one.
 * @property {Click[]} clicks The clicks that made the masks, those of other things among them.
 * @property {Settings} settings How they did.
 */

/**
 * Asks for the masks of a prompt: all of it at every change, so that the newest wins.
 * @typedef {Object} PredictRequest
 * @property {string} session The token it shows.
 * @property {number} seq Its number; the answer carries it back.
 * @property {Click[]} clicks The whole prompt, at most MAX_CLICKS.
 * @property {Settings} settings How clicks become masks.
 * @property {boolean} heat Whether the heatmaps are wanted too.
 * @property {Lock[]} locks Images in which other clicks and settings say it.
 */

/**
 * Asks for the masks of some images along the edges in their photos.
 * @typedef {Object} EdgesRequest
 * @property {string} session As in `PredictRequest`.
 * @property {number} seq As in `PredictRequest`.
 * @property {Click[]} clicks As in `PredictRequest`.
 * @property {Settings} settings As in `PredictRequest`.
 * @property {boolean} heat Of no use here.
 * @property {Lock[]} locks As in `PredictRequest`.
 * @property {number[]} images Their indices, each once, at most MAX_EDGED.
 * @property {number} side Pixels of the longer side that a mask is to have; at most MAX_SIDE.
 */

/**
 * What a round brush touched in one image: all that is within its radius of a line.
 * @typedef {Object} Stroke
 * @property {number} image Index of the image in its set.
 * @property {boolean} adds True where it makes pixels part of the mask, False where it takes them out.
 * @property {number} radius In (0, 1], a share of the longer side of the image.
 * @property {[number, number][]} points The corners of the line, 1 to MAX_STROKE_POINTS: x and y of each as in `Click`, or up to one width or height outside the image.
 */

/**
 * One thing that is wanted in all images.
 * @typedef {Object} Thing
 * @property {string} name What a person calls it: 1 to MAX_NAME_CHARS printable characters, no space at an end.
 * @property {Click[]} clicks The prompt.
 * @property {Settings} settings How its clicks become masks.
 * @property {[number, number, number]} color What it is drawn in.
 * @property {Lock[]} locks Images whose masks were accepted, and what made those.
 * @property {Stroke[]} strokes Of a brush over the masks that clicks make, in their order.
 */

/**
 * Asks for the masks of things as a file, in the event `export`.
 * @typedef {Object} ExportRequest
 * @property {string} session The token it shows.
 * @property {number} seq Its number.
 * @property {Thing[]} things All of them, the highest first: each with its own clicks, at most MAX_CLICKS in all.
 * @property {boolean} exclusive Whether a "this" of one is a "not this" of the others.
 * @property {boolean} overlaps Whether what is in several masks stays in all; else in the highest.
 * @property {number[]} skipped Indices of the images that are left out.
 * @property {string[]} formats Names of `formats.registry.FORMATS`.
 * @property {boolean} coco_polygons As in `formats.format.Options`.
 * @property {boolean} coco_regions As in `formats.format.Options`.
 * @property {"upright" | "stored"} orientation As in `formats.format.Options`.
 */

/**
 * Asks for the photos and masks as a data set on the Hugging Face Hub, in the event `push`.
 * @typedef {Object} PushRequest
 * @property {ExportRequest} export What is to be in it; its formats are of no use here.
 * @property {string} name Of the data set, as its owner wrote it.
 * @property {string} token The owner's, which may write there. It is used for this one and kept nowhere.
 * @property {boolean} private Whether nobody else is to see it.
 */

/**
 * Asks what a prompt file says.
 * @typedef {Object} OpenRequest
 * @property {string} session The token it shows.
 * @property {string} text The content of the file, from anywhere.
 */

/**
 * Asks for the set in the terms of a recipe, with its things, in the event `recipe`.
 * @typedef {Object} RecipeRequest
 * @property {string} session The token it shows.
 * @property {string} data The content of the recipe's file, from anywhere, as base64.
 */

/**
 * Asks for a stored set that this browser had open before, in the event `recall`.
 * @typedef {Object} RecallRequest
 * @property {string} recall What the manifest gave.
 */

/**
 * Asks for the set without an image, in the event `remove`.
 * @typedef {Object} RemoveRequest
 * @property {string} session The token it shows.
 * @property {number} image Index of the image.
 */

/**
 * Asks for the set that a page showed before it was reloaded, in the event `restore`.
 * @typedef {Object} RestoreRequest
 * @property {string} ticket Of the session, which the manifest gave.
 */

/**
 * What the clicks of a `PredictRequest` select.
 * @typedef {Object} MasksAnswer
 * @property {number} seq Of the request.
 * @property {string} masks Of all images, at token resolution, by `encode_masks`.
 * @property {number[]} presence For each image, from 0 to 1, how sure it is that the thing is there.
 * @property {string} heat The heatmaps of all images, from 0 to 255, by `encode_bytes`; "" if not wanted.
 */

/**
 * The mask of one image along the edges in its photo.
 * @typedef {Object} EdgedMask
 * @property {number} image Index of the image.
 * @property {number} height Of the mask, in pixels.
 * @property {number} width Of the mask, in pixels.
 * @property {string} mask Its pixels, by `encode_masks`.
 */

/**
 * What an `EdgesRequest` asked for.
 * @typedef {Object} EdgesAnswer
 * @property {number} seq Of the request.
 * @property {EdgedMask[]} masks One an image.
 */

/**
 * An image that a prompt file is about.
 * @typedef {Object} FileImage
 * @property {string} name Of its file.
 * @property {number} width In pixels.
 * @property {number} height In pixels.
 */

/**
 * What a prompt file says.
 * @typedef {Object} OpenedPrompt
 * @property {Thing[]} things As in `ExportRequest`.
 * @property {boolean} exclusive As in `ExportRequest`.
 * @property {boolean} overlaps As in `ExportRequest`.
 * @property {number[]} skipped As in `ExportRequest`.
 * @property {FileImage[]} images Those that the clicks are on, in order; none where the file does not say.
 */

/**
 * What went wrong with a request, in the place of its answer.
 * @typedef {Object} Failure
 * @property {number} seq Of the request; 0 where it had none.
 * @property {"gone" | "invalid"} error "gone" where the server has no such session any more, "invalid" for all else.
 * @property {string} message A sentence for the person.
 */

/**
 * One image of a set.
 * @typedef {Object} ManifestImage
 * @property {string} name Of its file.
 * @property {number} width In pixels.
 * @property {number} height In pixels.
 * @property {string} remark What there is to say about it; "" for nothing.
 * @property {boolean} turned Whether its file stores it otherwise than upright.
 * @property {string} tile Address of a JPEG file.
 * @property {string} whole The same at the image's own size; that of the tile where this is no larger.
 * @property {string} codes Address of what `encode_codes` makes of its codes.
 * @property {number} same Index of the first image that is the same as this one; mostly its own.
 */

/**
 * A concept of a recipe that clicks can go on from.
 * @typedef {Object} ManifestConcept
 * @property {string} name As in `JointRule`.
 * @property {[number, number]} level Likeness to its first click that is enough: in the image of that, and elsewhere.
 * @property {[number, number][]} marks Image and label, 1 or -1, of each of its clicks. Of an image that is not in the set a number below 0.
 * @property {Click[]} clicks Those of them that were made in images of the set.
 * @property {number} looks How many there are.
 * @property {number} looks_level How like one of them an image must be.
 * @property {string} numbers Little-endian float32 as base64: the codes of the clicks, what each adds in its own image and elsewhere, and the codes of the looks.
 */

/**
 * All that the page must know to show an analysis.
 * @typedef {Object} Manifest
 * @property {string} session Its token, which the page keeps to itself.
 * @property {string} ticket What the page may keep for its own reload, and only its own browser can use.
 * @property {string} joins The token of the session that the images were in before; its clicks go on.
 * @property {number[]} kept The indices that the first images had there.
 * @property {[number, number]} grid Rows and columns of tokens.
 * @property {number} eigvecs How many there are.
 * @property {string} backbone Name of what the features came from.
 * @property {string[]} outlines Those that its masks can have.
 * @property {string} colors Address of one PNG file, the colour views of all images one below the other.
 * @property {ManifestImage[]} images In order.
 * @property {string} example What to try with them, where they are an example; "" where they are somebody's own.
 * @property {boolean} opening Whether this is what pages open with, and nobody asked for it.
 * @property {string} recall What this browser may keep to open the set again, whenever; "" where it is not stored.
 * @property {ManifestConcept[]} concepts Those of a recipe that is open on it.
 * @property {OpenedPrompt | null} opened What a recipe that was just opened wants in these images; null where none was.
 */

/**
 * A file that is to be saved.
 * @typedef {Object} Download
 * @property {string} address Where it is.
 */

/**
 * Where a slider of the page begins and ends, within what its setting may be.
 * @typedef {Object} Slider
 * @property {number} min Its lowest place.
 * @property {number} max Its highest place; of `n_eigvecs` that of an analysis takes its place.
 * @property {number} step Between two places.
 */

/** Before anyone changes them.
 * @type {Readonly<Settings>} */
export const SETTINGS = Object.freeze(/** @type {const} */ ({
  rule: {"name": "joint", "threshold": 0.5, "gamma": 1.0, "size": "thing", "concept": ""},
  one_only: false,
  outline: "photo",
  fill_holes: 0,
  remove_specks: 0,
}));

/** What each rule begins with.
 * @type {{joint: Omit<JointRule, "name">, tutorial: Omit<TutorialRule, "name">}} */
export const RULES = Object.freeze(/** @type {const} */ ({
  joint: {"threshold": 0.5, "gamma": 1.0, "size": "thing", "concept": ""},
  tutorial: {"threshold": 0.5, "gamma": 1.0, "denoise": true, "min_area": 3, "negative_threshold": 0.99, "n_eigvecs": null},
}));

/** What masks can follow.
 * @type {readonly string[]} */
export const OUTLINES = Object.freeze(["tokens", "photo", "sam"]);

/** What a click may mean, the largest first.
 * @type {readonly string[]} */
export const SIZES = Object.freeze(["more", "thing", "part"]);

/** By the name of a setting.
 * @type {Readonly<Record<string, Slider>>} */
export const SLIDERS = Object.freeze(/** @type {const} */ ({
  threshold: {"min": 0, "max": 1, "step": 0.01},
  gamma: {"min": 0.1, "max": 5, "step": 0.1},
  min_area: {"min": 0, "max": 100, "step": 1},
  negative_threshold: {"min": 0, "max": 1, "step": 0.01},
  n_eigvecs: {"min": 2, "max": 30, "step": 1},
}));

/** Of a prompt.
 * @type {number} */
export const MAX_CLICKS = 1000;

/** Images that may be asked for at once.
 * @type {number} */
export const MAX_EDGED = 16;

/** Of a data set's name, and a token.
 * @type {number} */
export const MAX_HUB_CHARS = 500;

/** Of a recipe as base64.
 * @type {number} */
export const MAX_RECIPE_CHARS = 8388608;

/** Of a mask on a screen, in pixels.
 * @type {number} */
export const MAX_SIDE = 2048;

/** What a download can hold, by name.
 * @type {Readonly<Record<string, string>>} */
export const FORMATS = Object.freeze(/** @type {const} */ ({
  png: "Black and white masks (PNG), one of each thing",
  indexed: "Masks of all things in one PNG, by number, with a legend",
  coco: "COCO instances (JSON)",
  yolo: "YOLO segmentation labels, with data.yaml",
  labelme: "LabelMe polygons (JSON), one file an image",
  parquet: "A data set (parquet) with photos and masks, for training",
  cutouts: "Cut-outs (PNG): each thing alone, the rest transparent",
  overlays: "Photos with the things tinted in their colours",
  heatmaps: "Heatmaps (16-bit PNG): how well each pixel fits a thing",
  csv: "A table (CSV): pixels, share and regions of each thing",
  sheet: "An overview picture of all images, to show around",
  recipe: "Recipe: run the same on any folder of images",
}));

/** Until others are chosen.
 * @type {readonly string[]} */
export const DEFAULT_FORMATS = Object.freeze(["png", "overlays"]);

/** Of all locks of a thing.
 * @type {number} */
export const MAX_LOCKED_CLICKS = 20000;

/** Of all things.
 * @type {number} */
export const MAX_STROKES = 2000;

/** Of one stroke.
 * @type {number} */
export const MAX_STROKE_POINTS = 1000;

/** Of all strokes.
 * @type {number} */
export const MAX_POINTS = 100000;

/** Of a hole or a speck, in pixels.
 * @type {number} */
export const MAX_AREA = 100000000;

/** Of a prompt.
 * @type {number} */
export const MAX_THINGS = 20;

/** Of a thing.
 * @type {number} */
export const MAX_NAME_CHARS = 60;

/** By name, in the order in which things are made.
 * @type {Readonly<Record<string, readonly [number, number, number]>>} */
export const THING_COLORS = Object.freeze(/** @type {const} */ ({
  magenta: [255, 0, 255],
  lime: [120, 255, 0],
  cyan: [0, 225, 255],
  navy: [20, 30, 140],
  orange: [255, 120, 0],
  white: [255, 255, 255],
  olive: [120, 120, 0],
  mint: [150, 255, 200],
  grey: [125, 125, 125],
  pink: [255, 150, 200],
  brown: [130, 70, 10],
  pine: [0, 60, 40],
  violet: [70, 70, 190],
  apricot: [255, 205, 150],
  maroon: [120, 0, 50],
  green: [0, 130, 60],
  red: [255, 70, 110],
  purple: [120, 40, 220],
  teal: [0, 130, 130],
  yellow: [255, 225, 0],
}));

/** Constants of `analysis/codes.py`. */
export const CODES = Object.freeze(/** @type {const} */ ({
  CENTRED: 0.5,
}));

/** Constants of `rules/concept.py`. */
export const JOINT = Object.freeze(/** @type {const} */ ({
  LEAST_GUESS: -0.5,
  STEP: 0.4,
  STEP_ELSEWHERE: 0.15,
  REACH: 0.4,
  TIE: 0.1,
  BEST: 0.0025,
  LEAST_LIKE: 0.3,
  OF_EXPECTED: 0.85,
  ENOUGH: 3,
  USUALLY_LIKE: 0.45,
  OF_LOOKS: 0.5,
}));

/** Constants of `masks/levels.py`. */
export const LEVELS = Object.freeze(/** @type {const} */ ({
  LEVELS: [-0.2, -0.175, -0.15, -0.125, -0.1, -0.075, -0.05, -0.025, -0.0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25, 0.275, 0.3, 0.325, 0.35, 0.375, 0.4, 0.425, 0.45, 0.475, 0.5, 0.525, 0.55, 0.575, 0.6, 0.625, 0.65, 0.675, 0.7, 0.725, 0.75, 0.775, 0.8, 0.825, 0.85, 0.875, 0.9, 0.925, 0.95],
  APART: 3,
  LEAST: 0.3,
  MOST: 0.85,
  USUAL: 0.35,
  WIDTH: 0.15,
  PRIOR: 0.03,
  ALL: 0.95,
}));

/** Constants of `rules/predictor.py`. */
export const SIZE_LEVELS = Object.freeze(/** @type {const} */ ({
  MORE: 0.15,
  PART: 0.55,
  MOST_OF_PART: 0.95,
  CLOSER: 0.15,
  ELSEWHERE: 0.5,
}));

/** Constants of `masks/guided_filter.py`. */
export const GUIDED = Object.freeze(/** @type {const} */ ({
  RADII: [0.046875, 0.125],
  FLAT: 0.0001,
}));
