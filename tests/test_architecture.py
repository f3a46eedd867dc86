"""The rooms of domctx_core keep to their floors, and modules and classes to their size.

The floors and limits are in architecture.py, which reads the imports.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from architecture import (
    FACE,
    FLOORS,
    MODULE_LINES,
    PUBLIC_MEMBERS,
    ROOT,
    House,
    begins_with_verb,
    circles,
    imports_in,
    nesting,
)


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def _none(found: set[str]) -> None:
    """Fail with the list of what was found, if anything was."""
    assert not found, "\n".join(sorted(found))


# ---------------------------------------------------------------------------------------- imports


def test_every_room_has_a_floor(house: House) -> None:
    assert set(house.rooms) == {room for floor in FLOORS for room in floor}


def test_imports_go_to_lower_floors(house: House) -> None:
    _none({" -> ".join(pair) for pair in house.upward()})


def test_no_modules_import_each_other_in_a_circle(house: House) -> None:
    _none({" - ".join(circle) for circle in house.circles()})


def test_no_module_imports_the_package_that_it_is_in(house: House) -> None:
    found = {
        f"{module.name} -> {each.target}"
        for module in house.modules.values()
        for each in module.imports
        if module.name.startswith(f"{each.target}.")
    }
    _none(found)


#: Packages that only some rooms or modules import. The verb of a plugin is a click command, and so
#: its declaration and whoever checks that name click's type.
FOREIGN = {
    "pytest": {"testing"},
    "hypothesis": {"testing"},
    "click": {"cli", "host", "model.declarations"},
    "rich": {"cli"},
    "pluggy": {"host"},
    "importlib_metadata": {"host", "testing"},
}


def test_packages_are_imported_in_the_rooms_that_are_for_them(house: House) -> None:
    found = set()
    for module in house.modules.values():
        for each in module.foreign:
            package = each.target.partition(".")[0]
            allowed = FOREIGN.get(package, {module.room})
            if not allowed & {module.room, module.name.partition(".")[2]}:
                found.add(f"{module.name} -> {package}")
    _none(found)


PLUGIN_FILES = sorted((ROOT / "plugins").glob("*/*/**/*.py"))
TEMPLATES = sorted((ROOT / "domctx_core").rglob("*.py.in"))


def test_plugins_import_the_face_and_the_kits_alone() -> None:
    found = set()
    for path in PLUGIN_FILES:
        allowed = {"domctx_core", "domctx_core.cli.kit"}
        if "tests" in path.relative_to(ROOT).parts:
            allowed.add("domctx_core.testing")
        for each in imports_in(ast.parse(path.read_text()), path.stem, package=False):
            if each.target.split(".")[0] == "domctx_core" and each.target not in allowed:
                found.add(path.relative_to(ROOT / "plugins").as_posix())
    _none(found)


def test_a_new_plugin_imports_the_face_and_the_kit_of_tests_alone() -> None:
    assert TEMPLATES
    for path in TEMPLATES:
        imported = re.findall(
            r"^(?:from|import) (domctx_core[\w.]*)", path.read_text(), re.MULTILINE
        )
        assert imported
        assert set(imported) <= {"domctx_core", "domctx_core.testing"}


def test_plugins_have_no_circles_either() -> None:
    found = set()
    for source in sorted((ROOT / "plugins").glob("*/src/*")):
        paths = {
            ".".join(path.relative_to(source.parent).with_suffix("").parts): path
            for path in source.rglob("*.py")
        }
        graph = {}
        for name, path in paths.items():
            package = path.name == "__init__.py"
            tree = ast.parse(path.read_text())
            graph[name] = {
                each.target for each in imports_in(tree, name, package=package, known=paths)
            }
        found |= {" - ".join(circle) for circle in circles(graph)}
    _none(found)


# ------------------------------------------------------------------------------------------ sizes


def test_modules_are_not_too_long(house: House) -> None:
    long = {module.name for module in house.modules.values() if module.lines > MODULE_LINES}
    _none(long)


def test_classes_have_not_too_many_public_members(house: House) -> None:
    large = {f"{c.module}.{c.name}" for c in house.classes() if len(c.public) > PUBLIC_MEMBERS}
    _none(large)


# ------------------------------------------------------------------------------------------ guide


def test_a_package_lists_its_modules(house: House) -> None:
    """So that a reader knows where to begin, and where a new module belongs."""
    missing = []
    for package in house.modules.values():
        if package.is_package and package.room != FACE:
            text = ast.get_docstring(package.tree) or ""
            missing += [
                name
                for name in house.modules
                if name.rpartition(".")[0] == package.name
                and not re.search(rf"`{name.rpartition('.')[2]}/?`", text)
            ]
    assert missing == []


def test_what_a_room_writes_of_its_imports_is_true(house: House) -> None:
    for room in house.rooms:
        module = house.modules.get(f"domctx_core.{room}")
        if module is None or not module.is_package:
            continue
        text = " ".join((ast.get_docstring(module.tree) or "").split())
        imports = re.findall(r"`(\w+)`", " ".join(re.findall(r"Imports (.*?)\.", text)))
        users = re.findall(r"`(\w+)`", " ".join(re.findall(r"Used by (.*?)\.", text)))
        wrong = {(room, each) for each in imports} | {(each, room) for each in users}
        assert wrong - house.arrows.keys() == set()
        assert "Imports" in text or "imports" in text


# ------------------------------------------------------------------------------------- measuring


def _house(folder: Path, **files: str) -> House:
    """Return a house of the given modules, named as in `model_domain="import ..."`."""
    for name, text in {"__init__": "", **files}.items():
        path = folder / "domctx_core" / (name if name == "__init__" else name.replace("__", "/"))
        path = path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if not (path.parent / "__init__.py").exists():
            (path.parent / "__init__.py").write_text("")
    return House(folder)


class TestMeasuring:
    """The measurements see what they are meant to see."""

    @pytest.mark.parametrize(
        "text",
        [
            "import domctx_core.reader.walker",
            "from domctx_core.reader import walker",
            "from domctx_core.reader.walker import walk",
            "from ..reader.walker import walk",
            "from ..reader import walker as w",
            "def f():\n    from domctx_core.reader.walker import walk",
            "if TYPE_CHECKING:\n    from domctx_core.reader.walker import walk",
            "class C:\n    try:\n        import domctx_core.reader.walker\n    except E: pass",
            "f = import_module('domctx_core.reader.walker')",
            "f = importlib.import_module('domctx_core.reader.walker').walk",
            "def __getattr__(name): ...\nHOMES = {'walk': 'domctx_core.reader.walker'}",
            "def __getattr__(name): ...\nHOMES = {'walk': 'reader.walker'}",
        ],
    )
    def test_an_import_is_seen_wherever_it_is_written(self, tmp_path: Path, text: str) -> None:
        house = _house(tmp_path, model__domain=text, reader__walker="def walk(): ...")
        assert house.imports["domctx_core.model.domain"] == {"domctx_core.reader.walker"}
        assert house.upward() == [("domctx_core.model.domain", "domctx_core.reader.walker")]

    def test_the_table_of_the_face_is_read(self, tmp_path: Path) -> None:
        face = '_HOMES: dict[str, str] = {"walk": "reader.walker"}\ndef __getattr__(name): ...'
        house = _house(tmp_path, __init__=face, reader__walker="import domctx_core")
        assert house.arrows.keys() == {(FACE, "reader"), ("reader", FACE)}
        assert house.face() == ["walk"]
        assert house.circles() == [["domctx_core", "domctx_core.reader.walker"]]

    def test_rooms_of_one_floor_do_not_import_each_other(self, tmp_path: Path) -> None:
        text = "import domctx_core.host.host, domctx_core.base.io, domctx_core.reader.walker"
        house = _house(tmp_path, reader__events=text, reader__walker="", host__host="", base__io="")
        assert house.upward() == [("domctx_core.reader.events", "domctx_core.host.host")]

    def test_circles_are_found_through_others(self) -> None:
        assert circles({"a": "b", "b": "cd", "c": "a", "d": "e", "e": ""}) == [["a", "b", "c"]]
        assert circles({"a": "bc", "b": "c", "c": ""}) == []

    def test_levels_count_a_circle_once(self, tmp_path: Path) -> None:
        house = _house(
            tmp_path,
            a="import domctx_core.b",
            b="import domctx_core.a, domctx_core.c",
            c="import domctx_core.d",
            d="",
        )
        assert house.levels() == 3
        assert house.rooms == [FACE, "a", "b", "c", "d"]

    def test_lines_are_told_apart(self, tmp_path: Path) -> None:
        text = '"""Doc.\n\nMore.\n"""\n\nx = 1  # why\n# alone\n"""What x is."""\ny = """a\nb"""\n'
        module = _house(tmp_path, a=text).modules["domctx_core.a"]
        assert (module.lines, module.code_lines, module.comment_lines) == (10, 3, 2)

    def test_members_are_counted_with_those_that_are_inherited(self, tmp_path: Path) -> None:
        house = _house(
            tmp_path,
            base__a="class A(Generic[T]):\n    x: int\n    def f(self): self.y = self._z = 1",
            layout__b="from domctx_core.base.a import A as B\n"
            "class C(B[int]):\n    @property\n    def p(self): ...\n    def f(self): ...",
        )
        figures = {each.name: each for each in house.classes()}
        assert figures["C"].public == ["f", "p", "x", "y"]
        assert (figures["C"].methods, len(figures["C"].attributes)) == ({"f"}, 4)

    def test_members_of_an_enumeration_are_its_values(self, tmp_path: Path) -> None:
        house = _house(tmp_path, a="class A(IntEnum):\n    X = 1\n    Y = 2\n    def f(self): ...")
        assert house.classes()[0].public == ["f"]

    def test_nesting_counts_blocks(self) -> None:
        text = "def f():\n if a:\n  pass\n elif b:\n  for x in y:\n   with z: pass\n else:\n  pass"
        assert nesting(ast.parse(text).body[0]) == 3

    def test_tests_are_looked_for_beside_the_room(self, tmp_path: Path) -> None:
        function = "def f(): ..."
        house = _house(tmp_path, layout__kinds__bits=function, base__io=function, base__text="x=1")
        (tmp_path / "tests" / "layout" / "kinds").mkdir(parents=True)
        (tmp_path / "tests" / "layout" / "kinds" / "test_bits.py").touch()
        assert house.tested_by_name() == (
            ["domctx_core.layout.kinds.bits"],
            ["domctx_core.base.io"],
        )

    @pytest.mark.parametrize(
        ("docstring", "verb"),
        [
            ("Return the name.", True),
            ("`Yield` them.", True),
            ("The name.", False),
            ("Whether it is.", False),
            ("Name of a record.", False),
            ("Name a record.", True),
        ],
    )
    def test_docstrings_begin_with_a_verb(self, docstring: str, verb: bool) -> None:
        assert begins_with_verb(docstring) is verb
