"""Examples of how the endpoints are called, as the page "Use via API" shows them.

gradio makes such examples of the types of values alone: they would name files that are not there
and sessions that never were. Each of these is a whole program, and the tests run it. Knows the
clients' languages. Does not know what endpoints do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradio import routes

_made_by_gradio: Callable[..., dict[str, str]] = routes.generate_code_snippets
_cli_by_gradio: Callable[..., dict[str, str]] = routes.generate_cli_snippet

_PYTHON = """from gradio_client import Client, handle_file

client = Client("{where}")
"""
_PYTHON_ANALYZE = """files = [handle_file("a.jpg"), handle_file("b.jpg")]
opened = client.predict(files=files, api_name="/analyze")
"""
_PYTHON_THINGS = """things = [{"name": "cat", "clicks": [{"image": 0, "x": 0.42, "y": 0.31}]}]
"""
_JAVASCRIPT = """import {{ Client, handle_file }} from "@gradio/client";

const client = await Client.connect("{where}");
"""
_JAVASCRIPT_ANALYZE = """const files = [handle_file("a.jpg"), handle_file("b.jpg")];
const [opened] = (await client.predict("/analyze", { files })).data;
"""
_JAVASCRIPT_THINGS = """const things = [{ name: "cat", clicks: [{ image: 0, x: 0.42, y: 0.31 }] }];
"""
_JAVASCRIPT_END = """process.exit(); // the client stays connected else
"""
_BASH = """API={root}/gradio_api
call() {{  # the name of an endpoint, and what it takes
  EVENT=$(curl -s "$API/call/$1" -H "Content-Type: application/json" \\
    -d "{{\\"data\\": $2}}" | cut -d '"' -f 4)
  curl -sN "$API/call/$1/$EVENT" | sed -n 's/^data: //p' | tail -n 1
}}
"""
_BASH_ANALYZE = """FILES=$(curl -s "$API/upload" -F files=@a.jpg -F files=@b.jpg)
OPENED=$(call analyze "[$FILES, \\"\\", 1]")
SESSION=$(echo "$OPENED" | sed 's/.*"session": "\\([^"]*\\)".*/\\1/')
"""
_BASH_THINGS = """THINGS='[{"name": "cat", "clicks": [{"image": 0, "x": 0.42, "y": 0.31}]}]'
"""

# Of each endpoint, what comes after the client is there.
_PYTHON_PARTS = {
    "/analyze": _PYTHON_ANALYZE + "print(opened)",
    "/predict": _PYTHON_ANALYZE
    + _PYTHON_THINGS
    + """found = client.predict(session=opened["session"], things=things, api_name="/predict")
for one in found:
    print(one["image"], one["thing"], one["presence"], one["pixels"], one["mask"])""",
    "/export": _PYTHON_ANALYZE
    + _PYTHON_THINGS
    + """archive = client.predict(
    session=opened["session"], things=things, formats=["png", "coco", "recipe"], api_name="/export"
)
print(archive)""",
    "/apply": """archive, report = client.predict(
    recipe=handle_file("recipe.safetensors"),
    files=[handle_file("a.jpg"), handle_file("b.jpg")],
    formats=["png", "csv"],
    api_name="/apply",
)
print(archive, report)""",
}
_JAVASCRIPT_PARTS = {
    "/analyze": _JAVASCRIPT_ANALYZE + "console.log(opened);\n",
    "/predict": _JAVASCRIPT_ANALYZE
    + _JAVASCRIPT_THINGS
    + """const found = await client.predict("/predict", { session: opened.session, things });
for (const one of found.data[0]) {
  const mask = await fetch(one.mask.url); // a PNG file
  console.log(one.image, one.thing, one.presence, one.pixels, mask.status);
}
""",
    "/export": _JAVASCRIPT_ANALYZE
    + _JAVASCRIPT_THINGS
    + """const asked = { session: opened.session, things, formats: ["png", "coco", "recipe"] };
const [archive] = (await client.predict("/export", asked)).data;
console.log(archive.url);
""",
    "/apply": """const recipe = handle_file("recipe.safetensors");
const files = [handle_file("a.jpg"), handle_file("b.jpg")];
const asked = { recipe, files, formats: ["png", "csv"] };
const [archive, report] = (await client.predict("/apply", asked)).data;
console.log(archive.url, report);
""",
}
_BASH_PARTS = {
    "/analyze": _BASH_ANALYZE + 'echo "$OPENED"',
    "/predict": _BASH_ANALYZE + _BASH_THINGS + 'call predict "[\\"$SESSION\\", $THINGS, null]"',
    "/export": _BASH_ANALYZE
    + _BASH_THINGS
    + 'call export "[\\"$SESSION\\", $THINGS, [\\"png\\", \\"coco\\", \\"recipe\\"]]"',
    "/apply": """RECIPE=$(curl -s "$API/upload" -F files=@recipe.safetensors)
FILES=$(curl -s "$API/upload" -F files=@a.jpg -F files=@b.jpg)
call apply "[$RECIPE, $FILES, [\\"png\\", \\"csv\\"]]\"""",
}


# gradio's command is another client each time, and no session is another client's.
_ONE_CALL = "# This takes more than one call, and one client: use Python, JavaScript or cURL."
_A_FILE = '{{"path": "{name}", "meta": {{"_type": "gradio.FileData"}}}}'
_COMMAND_APPLY = """{{command}} predict {{space_id}} /apply '{{"recipe": {recipe},
  "files": [{a}, {b}], "formats": ["png", "csv"]}}'"""


def install() -> None:
    """Have gradio show these; there is no other way to say them."""
    routes.generate_code_snippets = snippets_of
    routes.generate_cli_snippet = commands_of


def commands_of(named_endpoints: dict[str, Any]) -> dict[str, str]:
    """Of each endpoint, how gradio's command calls it, in gradio's form."""
    names = {"recipe": "recipe.safetensors", "a": "a.jpg", "b": "b.jpg"}
    files = {key: _A_FILE.format(name=name) for key, name in names.items()}
    ours = dict.fromkeys(_PYTHON_PARTS, _ONE_CALL)
    ours["/apply"] = _COMMAND_APPLY.format(**files)
    made = _cli_by_gradio(named_endpoints)
    return {name: ours.get(name, command) for name, command in made.items()}


def snippets_of(
    api_name: str, endpoint_info: dict[str, Any], root: str, **options: Any
) -> dict[str, str]:
    """Programs in Python, JavaScript and for a shell that call an endpoint of a server.

    Args:
        api_name: Of the endpoint, with a slash before it.
        endpoint_info: What it takes and gives.
        root: The address of the server.
        options: gradio's; with `space_id` where it is a Space.
    """
    if api_name not in _PYTHON_PARTS:
        return _made_by_gradio(api_name, endpoint_info, root, **options)
    where = options.get("space_id") or root
    return {
        "python": _PYTHON.format(where=where) + _PYTHON_PARTS[api_name],
        "javascript": _JAVASCRIPT.format(where=where)
        + _JAVASCRIPT_PARTS[api_name]
        + _JAVASCRIPT_END,
        "bash": _BASH.format(root=root) + _BASH_PARTS[api_name],
    }
