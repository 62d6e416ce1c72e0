"""Files out of what is dropped."""

from __future__ import annotations

# Stand-ins of a browser's entries, which no script can make.
DROP = """
    const { filesOf } = await import('/setup/dropped.js');
    const file = (name, fails) => ({
      name, isDirectory: false,
      file: (done, failed) => (fails ? failed() : done(new File(['x'], name))),
    });
    const folder = (name, entries) => ({
      name, isDirectory: true,
      createReader() {
        const left = [...entries];
        // As a browser does: some at a time, and at last none.
        return { readEntries: (done) => done(left.splice(0, 2)) };
      },
    });
    const item = (entry) => ({
      kind: 'file', webkitGetAsEntry: () => entry,
      getAsFile: () => (entry ? new File(['x'], entry.name) : new File(['x'], 'bare.png')),
    });
    const dropped = async (...items) => {
      const isWanted = ({ name }) => name.endsWith('.png');
      return (await filesOf({ items }, isWanted)).map(({ name }) => name);
    };
"""


def test_a_folder_gives_its_images_in_order_and_those_of_its_folders(run):
    names = run(f"""{DROP}
        const inner = folder('inner', [file('z.png'), file('y.txt')]);
        return dropped(item(folder('outer', [
          file('10.png'), file('2.png'), file('.hidden.png'), file('notes.md'), inner,
        ])));
    """)
    assert names == ["2.png", "10.png", "z.png"]


def test_a_file_is_taken_as_it_is_whatever_it_is(run):
    assert run(f"{DROP} return dropped(item(file('a.raw')), item(file('b.png')));") == [
        "a.raw",
        "b.png",
    ]


def test_what_cannot_be_read_loses_nothing_else(run):
    names = run(f"""{DROP}
        return dropped(item(folder('one', [file('a.png', true), file('b.png')])), item(null));
    """)
    assert names == ["b.png", "bare.png"]


def test_text_that_is_dropped_is_no_file(run):
    body = f"{DROP} return dropped({{ kind: 'string', webkitGetAsEntry: () => null }});"
    assert run(body) == []
