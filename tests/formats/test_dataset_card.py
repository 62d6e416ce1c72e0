import json

import yaml
from datasets import Features

from pointprompt.formats.dataset_card import FEATURES, card
from pointprompt.things import Color, Thing
from tests.formats.made import things


def test_what_a_card_declares_is_what_datasets_would_declare_of_the_same_rows():
    front = yaml.safe_load(card(things("cat"), 3, 5000).split("---\n")[1])
    info = front["dataset_info"]
    assert Features._from_yaml_list(info["features"]) == Features.from_dict(FEATURES)
    assert info["splits"] == [{"name": "train", "num_bytes": 5000, "num_examples": 3}]
    (config,) = front["configs"]
    assert config["data_files"] == [{"split": "train", "path": "data/train-*"}]
    assert front["size_categories"] == ["n<1K"]


def test_columns_are_declared_in_json_as_datasets_reads_them_from_a_file():
    assert Features.from_dict(json.loads(json.dumps(FEATURES))) == Features.from_dict(FEATURES)


def test_no_name_of_a_thing_is_read_as_anything_but_a_name():
    hostile = ["`a` | b", "---", "<script>", "[x](y)", "{things}", "# title", "a & b"]
    text = card([Thing(name, color=Color(0, 225, 255)) for name in hostile], 1, 1)
    rows = [line for line in text.splitlines() if line.endswith("| `#00e1ff` |")]
    assert len(rows) == len(hostile)
    assert all(row.count("|") == 4 for row in rows)
    assert text.count("---\n") == 2
    assert "<script" not in text
    assert "&lt;script&gt;" in text
