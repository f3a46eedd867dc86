"""The documentation says what is so: its commands, code, tables and links are tried here."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import json
import re
import sys
import tomllib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docs_pages import (
    DOCS,
    PAGES,
    ROOT,
    Environment,
    Runner,
    alike,
    blocks,
    build_site,
    commands,
)
from environments import run

import domctx_core
from domctx_core.authoring.scaffold.new_plugin import Names, write_plugin
from domctx_core.authoring.type_codes import THIRD_PARTY
from domctx_core.base.rules import CORE_RULES
from domctx_core.cli.group import VERBS
from domctx_core.host import hookspecs
from domctx_core.host.pluggy_modules import HOOKS
from domctx_core.host.plugin import Status
from domctx_core.layout import specifiers as fields
from domctx_core.model.registry import Registry
from domctx_core.model.validation import copy_name

PV1 = "examples/xen-4.17/pv1/pv1.save.no-pages"

#: All that the seed's C code defines: functions, callbacks, macros, structures and their members.
SEED = [
    "domain_register_ctxt_type",
    "domain_save_ctxt_rec_begin",
    "domain_save_ctxt_rec_data",
    "domain_save_ctxt_rec_end",
    "domain_save_ctxt_rec",
    "domain_save_ctxt",
    "domain_load_ctxt_rec_begin",
    "domain_load_ctxt_rec_data",
    "domain_load_ctxt_rec_end",
    "domain_load_ctxt_rec",
    "domain_load_ctxt",
    "save_start",
    "load_start",
    "save_end",
    "load_end",
    "domain_save_ctxt_type",
    "domain_load_ctxt_type",
    "DOMAIN_REGISTER_CTXT_TYPE",
    "domain_save_ctxt_ops.begin",
    "domain_save_ctxt_ops.append",
    "domain_save_ctxt_ops.end",
    "domain_load_ctxt_ops.read",
    "domain_ctxt_state.d",
    "domain_ctxt_state.rec",
    "domain_ctxt_state.len",
    "domain_ctxt_state.ops",
    "domain_ctxt_state.priv",
    "domain_ctxt_state.dry_run",
    "fns",
    "fns[].name",
    "fns[].save",
    "fns[].load",
]


def _id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment") / "venv")


@pytest.fixture
def runner(tmp_path: Path, environment: Environment) -> Runner:
    return Runner("page", tmp_path, environment)


@pytest.mark.parametrize("path", PAGES, ids=_id)
def test_what_a_page_shows_is_what_happens(
    path: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page = list(blocks(path.read_text()))
    if not any(block.language in ("console", "python") for block in page):
        return
    environment = Environment(tmp_path_factory.mktemp("environment") / "venv")
    runner = Runner(_id(path), tmp_path, environment)
    failed = False
    for block in page:
        if block.file:
            runner.file(block)
        elif block.language == "python":
            report = runner.python(block)
            assert not report, report
        elif block.language == "console":
            for command, shown in commands(block.text):
                asks = command == "echo $?"
                assert asks or not failed, f"{_id(path)}:{block.line}: $? of a failure is not shown"
                printed = runner.run(command)
                assert alike(shown, printed), (
                    f"{_id(path)}:{block.line}: `{command}` prints\n{printed}and not\n{shown}"
                )
                failed = runner.status != 0
    assert not failed, f"{_id(path)} ends with a command that fails"


class TestTheMachinery:
    """What this file relies on can fail."""

    def test_output_that_differs_is_noticed(self) -> None:
        assert alike("one\n...\nthree\n", "one\ntwo\ntwo\nthree\n")
        assert alike("...\n", "")
        assert alike("1 passed in 0.12s\n", "1 passed in 3.45s\n")
        assert not alike("one\n", "one\ntwo\n")
        assert not alike("one\n...\n", "two\none\n")

    def test_blocks_know_their_file(self) -> None:
        page = "Text.\n\n`a/b.py`:\n\n```python\nx = 1\n```\n\nSee `a`:\n\n```console\n$ ls\n```\n"
        first, second = blocks(page)
        assert (first.file, first.line, first.text) == ("a/b.py", 5, "x = 1\n")
        assert (second.file, list(commands(second.text))) == (None, [("ls", "")])

    def test_a_doctest_that_fails_is_reported(self, runner: Runner) -> None:
        (block,) = blocks("```python\n>>> 1 + 1\n3\n```\n")
        assert "3" in runner.python(block)

    def test_commands_go_on_where_the_last_left_off(self, runner: Runner) -> None:
        assert runner.run("mkdir sub && cd sub && false") == ""
        assert runner.run("echo $?; pwd").endswith("/sub\n")
        runner.run("export GREETING=hello")
        assert runner.run("echo $GREETING") == "hello\n"


def test_links_lead_somewhere() -> None:
    wrong = []
    for path in PAGES:
        text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" in target:
                continue
            name, _, anchor = target.partition("#")
            there = path if not name else path.parent / name
            if not there.exists() or (anchor and anchor not in _anchors(there)):
                wrong.append(f"{_id(path)}: {target}")
    assert not wrong


def _anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


def test_every_page_is_reached_from_the_readme() -> None:
    reached, new = set(), {ROOT / "README.md"}
    while new:
        path = new.pop()
        reached.add(path)
        for target in re.findall(r"\]\(([^)#\s]+\.md)[^)]*\)", path.read_text()):
            if "://" not in target:
                new |= {(path.parent / target).resolve()} - reached
    assert set(PAGES) <= reached


# ------------------------------------------------------------------------------------- tutorial


def test_the_first_record_type_takes_at_most_fifteen_lines() -> None:
    page = (DOCS / "tutorial" / "first-record-type.md").read_text()
    (code,) = [block.text for block in blocks(page) if (block.file or "").endswith("__init__.py")]
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith("#")]
    assert 0 < len(lines) <= 15


@pytest.mark.parametrize(
    ("page", "name"),
    [("tutorial/first-record-type.md", "watchdog"), ("how-to/test-your-plugin.md", "heartbeat")],
)
def test_a_page_fits_the_linters_of_the_package_it_fills(
    page: str, name: str, tmp_path: Path
) -> None:
    folder = write_plugin(Names.of(name), tmp_path, Registry(), code=0x80000030)
    written = [block for block in blocks((DOCS / page).read_text()) if block.file]
    for block in written:
        (tmp_path / str(block.file)).write_text(block.text)
    assert written
    for command in ("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy",):
        run(sys.executable, "-m", *command, cwd=folder)


# ------------------------------------------------------------------------------------- following


GUIDES = [path for path in PAGES if path.parent.name in ("tutorial", "how-to")]


@pytest.mark.parametrize("path", GUIDES, ids=_id)
def test_what_a_page_turns_on_it_turns_off(path: Path) -> None:
    text = path.read_text()
    if "export DOMCTX_LOAD_PLUGINS=" in text:
        assert "`unset DOMCTX_LOAD_PLUGINS`" in text
    for name in re.findall(r"^\$ pip install .*\./(domctx-plugin-\w+)$", text, re.MULTILINE):
        assert f"`pip uninstall {name}`" in text


@pytest.mark.parametrize("path", GUIDES, ids=_id)
def test_a_page_with_commands_says_how_to_have_them(path: Path) -> None:
    text = path.read_text()
    if any(block.language == "console" for block in blocks(text)):
        assert "](../index.md#install)" in text


def test_a_file_is_one_thing_on_all_pages_that_run_in_the_checkout() -> None:
    documents, states = set(), set()
    for path in GUIDES:
        text = path.read_text()
        if "in the checkout, [set up]" in text:
            states |= set(re.findall(r"\bsim:(\w\S*?\.json)", text))
            documents |= set(re.findall(r" -o (\S+\.json)", text))
    assert documents
    assert states
    assert documents & states == set()


# ------------------------------------------------------------------------------------ reference


def test_every_verb_is_on_the_page_of_the_command_line() -> None:
    page = (DOCS / "reference" / "command-line.md").read_text()
    shown = {command for block in blocks(page) for command, _ in commands(block.text)}
    verbs = set(VERBS)
    for verb in VERBS:
        command = importlib.import_module(f"domctx_core.cli.{verb}").command
        verbs |= {f"{verb} {below}" for below in getattr(command, "commands", ())}
    assert {f"domctx {verb} --help" for verb in verbs} <= shown


def test_every_variable_of_the_environment_is_documented() -> None:
    page = (DOCS / "reference" / "command-line.md").read_text()
    sources = "".join(path.read_text() for path in (ROOT / "domctx_core").rglob("*.py"))
    used = set(re.findall(r"DOMCTX_[A-Z_]+", sources))
    assert used == set(re.findall(r"DOMCTX_[A-Z_]+", page))


def test_every_field_specifier_is_documented() -> None:
    page = (DOCS / "reference" / "body-fields.md").read_text()
    executed = "".join(block.text for block in blocks(page) if block.language == "python")
    for name in set(fields.__all__) - {"Field", "REQUIRED"}:
        assert re.search(rf"`{name}\b", page), name
        if not re.fullmatch(r"[iu]\d+", name):
            assert re.search(rf"\b{name}\(", executed), name


def test_every_status_of_a_plugin_is_documented() -> None:
    page = (DOCS / "explanation" / "design.md").read_text()
    assert set(map(str, Status)) <= set(re.findall(r"^\| ([\w-]+) \|", page, flags=re.MULTILINE))


def test_every_hook_is_documented() -> None:
    page = (DOCS / "reference" / "hooks.md").read_text()
    members = re.search(r"hookspecs\n +:members: (.*)", page)
    assert members is not None
    assert set(HOOKS) == set(members[1].split(", ")) - {"hookimpl"}
    assert set(HOOKS) == set(re.findall(r"^\| `(domctx_\w+)` \|", page, flags=re.MULTILINE))
    assert all(inspect.getdoc(getattr(hookspecs, hook)) for hook in HOOKS)


def test_every_hook_is_exercised_by_a_test() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    implemented = re.findall(r"@hookimpl\n\s+def (\w+)\(\)", sources)
    assert set(HOOKS) <= set(implemented)


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Gives a page of the reference as its script makes it."""
    monkeypatch.syspath_prepend(str(DOCS))
    return lambda page: str(importlib.import_module(f"make_{page}").render())


@pytest.mark.parametrize("name", ["rules", "plugins"])
def test_a_page_that_is_made_is_current(make: Callable[[str], str], name: str) -> None:
    page = (DOCS / "reference" / f"{name}.md").read_text()
    assert page == make(name), f"run `python docs/make_{name}.py`"


def test_the_pictures_of_the_rooms_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what the code gives; lines of code may differ by a tenth, since each change does that."""
    monkeypatch.syspath_prepend(str(DOCS))
    script = importlib.import_module("make_rooms")
    house = script.House()
    picture = (DOCS / "images" / "rooms.svg").read_text()
    shown = script.lines_shown(picture)
    for name, room in script.rooms(house).items():
        if name in shown:
            assert abs(room.lines - shown[name]) <= max(50, room.lines / 10), _AGAIN
    assert picture == script.picture(house, shown), _AGAIN
    assert (DOCS / "images" / "rooms-imports.svg").read_text() == script.matrix(house), _AGAIN


_AGAIN = "run `python docs/make_rooms.py`"


def test_the_modules_that_pages_name_exist() -> None:
    for path in PAGES:
        for named in re.findall(r"\bdomctx_core/[\w/]+\.py\b", path.read_text()):
            assert (ROOT / named).is_file(), f"{_id(path)}: {named}"
    design = (DOCS / "explanation" / "design.md").read_text()
    for named in re.findall(r"`([\w/]+\.py)`", design):
        if not named.startswith(("tests/", "docs/", "domctx_core/")):
            assert list((ROOT / "domctx_core").rglob(named)), named


def test_every_rule_that_ships_is_on_the_page_of_rules(runner: Runner) -> None:
    listed = [line.split()[0] for line in runner.run("domctx explain").splitlines()]
    assert set(CORE_RULES) < set(listed)
    page = (DOCS / "reference" / "rules.md").read_text()
    assert re.findall("^## (.*)$", page, re.MULTILINE) == listed


def test_what_a_plugin_adds_is_in_its_row_on_the_page_of_plugins(runner: Runner) -> None:
    page = (DOCS / "reference" / "plugins.md").read_text()
    rows = dict(re.findall(r"^\| \[[\w-]+\]\(#([\w-]+)\) \|(.*)$", page, re.MULTILINE))
    signs = {"domctx.formats": "`{}`", "domctx.domains": "`{}:`", "domctx.commands": "`{}`"}
    listed = _answer(runner, "domctx plugins list --json")["plugins"]
    assert set(rows) == {each["dist"] for each in listed} - {"domctx-core"}
    for each in listed:
        sign = signs.get(each["group"])
        if sign is not None and each["dist"] in rows:
            assert sign.format(each["entry_point"]) in rows[each["dist"]]


def test_a_failed_restore_finds_every_rule_under_its_errno() -> None:
    page = (DOCS / "how-to" / "restore-failed.md").read_text()
    rows = re.findall(r"^\| (E[A-Z0-9]+) (\d+) \|([^|]*)\|", page, flags=re.MULTILINE)
    shown = {
        (name, int(number), rule)
        for name, number, cell in rows
        for rule in re.findall(r"\[`([^`]*)`\]", cell)
    }
    made = {
        (rule.errno.name, int(rule.errno), rule.id) for rule in CORE_RULES.values() if rule.errno
    }
    assert shown == made


def _section(schema: str) -> str:
    page = (DOCS / "reference" / "json.md").read_text()
    return next(part for part in page.split("\n## ") if part.startswith(f"`{schema}"))


def _documented(text: str) -> set[str]:
    """The names in backticks in the first column of the tables."""
    rows = re.findall(r"^\| (`[^|]*)\|", text, flags=re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def _answer(runner: Runner, command: str) -> Any:
    return json.loads(runner.run(command))


def _levels(node: dict[str, Any]) -> list[dict[str, Any]]:
    """A document of show and every container in it."""
    inner = [node, *node.get("records", ())]
    return [node] + [
        level for each in inner if "content" in each for level in _levels(each["content"])
    ]


def test_keys_of_show(runner: Runner) -> None:
    runner.run("domctx save sim:seed=1,vcpus=2 -o a.img; cat a.img > b.img; echo tail >> b.img")
    documents = [_answer(runner, f"domctx show --json {name}") for name in (PV1, "a.img", "b.img")]
    documents.append(_answer(runner, "domctx --no-plugins show --json a.img"))
    used: set[str] = set()
    for document in documents:
        for level in _levels(document):
            used |= level.keys()
            for record in level["records"]:
                used |= record.keys()
    documented = _documented(_section("domctx.image/1"))
    assert used <= documented
    rare = {"padding_raw", "raw_truncated"}
    assert documented - used <= rare


def test_keys_of_verify(runner: Runner) -> None:
    runner.run(f"head -c 20 {PV1} > cut; printf '\\0' | head -c 1 > tiny")
    document = _answer(runner, f"domctx verify --json {PV1} cut 2> log")
    section = _section("domctx.verify/1")
    assert document["schema"] == "domctx.verify/1"
    for image in document["images"]:
        assert all(f"`{key}`" in section for key in image)
    findings = [finding for image in document["images"] for finding in image["findings"]]
    assert findings
    assert set(findings[0]) == _documented(section)


def test_keys_of_types_and_plugins(runner: Runner) -> None:
    types = _answer(runner, "domctx types --json --layout")["types"]
    assert set(types[0]) == _documented(_section("domctx.types/1"))
    named = set(re.findall(r"`(\w+)`", _section("domctx.types/1")))
    start = next(each for each in types if each["name"] == "START")
    assert {"offset", "name", "kind", "size", "doc", "unit", "volatile"} == set(start["layout"][0])
    assert set(start["layout"][0]) <= named
    plugins = _answer(runner, "domctx plugins list --json")["plugins"]
    assert set(plugins[0]) == _documented(_section("domctx.plugins/1"))


def test_keys_of_plugins_info_and_check(runner: Runner) -> None:
    name = "domctx-plugin-tsc-info"
    (dist,) = _answer(runner, f"domctx plugins info --json {name}")["distributions"]
    section = _section("domctx.plugin-info/1")
    assert set(dist) == _documented(section)
    (point,) = dist["entry_points"]
    named = set(re.findall(r"`(\w+)`", section + _section("domctx.plugins/1")))
    assert set(point) <= named
    runner.run("mkdir lib && cd lib && mkdir bad-1.dist-info")
    (runner.cwd / "bad-1.dist-info" / "METADATA").write_text("Name: bad\nVersion: 1\n")
    points = "[domctx.plugins]\nbad = nowhere\n"
    (runner.cwd / "bad-1.dist-info" / "entry_points.txt").write_text(points)
    runner.run(f"export PYTHONPATH={runner.cwd}")
    document = _answer(runner, "domctx -q plugins check --json bad")
    assert set(document) == {"schema", "checked", "faults"}
    assert set(document["faults"][0]) == _documented(_section("domctx.check/1"))


def test_every_schema_has_a_section() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "domctx_core").rglob("*.py"))
    for schema in set(re.findall(r'"(domctx\.[a-z-]+/\d+)"', sources)):
        assert _section(schema)


def test_keys_of_size_and_sim(runner: Runner) -> None:
    assert _answer(runner, "domctx size --json sim:seed=1").keys() == {"schema", "domain", "size"}
    runner.run("domctx save sim:seed=1,vcpus=1 -o a.img; domctx load a.img sim:a.json,vcpus=1")
    state = json.loads((runner.folder / "a.json").read_text())
    section = _section("domctx.sim/1")
    for table in (state, state["guest"], state["records"][0]):
        assert all(f"`{key}`" in section for key in table.keys() - {"schema"})


def test_type_codes_are_those_of_the_plugins(runner: Runner) -> None:
    page = (DOCS / "reference" / "type-codes.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (\w+) \| [^|]* \| `([\w-]+)` \|", page, flags=re.MULTILINE)
    types = _answer(runner, "domctx types --json")["types"]
    known = {
        (str(each["code"]), each["name"], each["dist"])
        for each in types
        if each["format"] == "domain-context" and each["code"] <= 0xFF
    }
    assert set(rows) == known


def test_third_party_codes_are_unique_sorted_and_in_their_range() -> None:
    page = (DOCS / "reference" / "third-party-codes.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("| ")][1:]
    rows = [re.fullmatch(r"\| (0x[0-9A-F]+) \| (\w+) \| (.+) \| (.+) \|", line) for line in lines]
    assert rows
    assert all(rows), f"not a row of the table: {lines[rows.index(None)]}"
    codes = [int(row[1], 16) for row in rows if row]
    names = [row[2] for row in rows if row]
    assert codes == sorted(set(codes))
    assert len(set(names)) == len(names)
    assert all(code in THIRD_PARTY for code in codes)
    for name in names:
        copy_name(name)


# ----------------------------------------------------------------------------------------- seed


def _seed_rows() -> dict[str, str]:
    page = (DOCS / "reference" / "seed.md").read_text()
    rows: dict[str, str] = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            cells = line.strip("| ").split(" | ")
            for name in re.findall(r"`([^`]+)`", cells[0]):
                rows[name] = line
    return rows


def test_nothing_of_the_seed_is_missing() -> None:
    assert set(SEED) <= set(_seed_rows())


def test_each_row_of_the_seed_names_a_test_that_exists() -> None:
    for name, row in _seed_rows().items():
        named = re.findall(r"`(\S+?\.py)::([\w:]+)`", row)
        assert named, f"the row of {name} names no test"
        for path, test in named:
            assert test in _tests(f"tests/{path}"), f"{path}::{test}"


def test_each_row_of_the_seed_names_what_exists() -> None:
    for name, row in _seed_rows().items():
        ours = re.findall(r"`([A-Za-z_.]+)`", row.split(" | ")[1])
        assert ours, f"the row of {name} names nothing of ours"
        for dotted in ours:
            head, *rest = dotted.split(".")
            assert head in domctx_core.__all__, dotted
            thing = getattr(domctx_core, head)
            for part in rest:
                known = hasattr(thing, part) or part in _self_attributes(thing)
                assert known, dotted


def _self_attributes(cls: Any) -> set[str]:
    """The attributes that a class's methods set, slots and dataclass fields included."""
    return set(re.findall(r"self\.(\w+)\b", inspect.getsource(cls))) | set(
        getattr(cls, "__annotations__", ())
    )


def _tests(path: str) -> set[str]:
    found: set[str] = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    found.add(f"{node.name}::{inner.name}")
    return found


# ----------------------------------------------------------------------------------------- trust


def _plugin_in(folder: Path) -> None:
    """A plugin that says so when it is imported, unpacked in a folder."""
    (folder / "nearby-1.dist-info").mkdir()
    (folder / "nearby-1.dist-info" / "METADATA").write_text("Name: nearby\nVersion: 1\n")
    points = "[domctx.plugins]\nnearby = nearby_module\n"
    (folder / "nearby-1.dist-info" / "entry_points.txt").write_text(points)
    (folder / "nearby_module.py").write_text("import os; os.write(2, b'imported')\n")


def test_no_plugin_comes_from_the_folder_of_the_image(runner: Runner) -> None:
    runner.run("domctx save sim:seed=1 -o a.img")
    _plugin_in(runner.folder)
    assert "imported" not in runner.run("domctx verify a.img")
    assert "nearby" not in runner.run("domctx plugins list --json")
    runner.run(f"export PYTHONPATH={runner.folder}")
    assert "imported" in runner.run("domctx verify a.img")


@pytest.mark.parametrize(
    "command",
    [
        "domctx --no-plugins --strict verify a.img",
        "domctx -p no:nearby --strict verify a.img",
        "DOMCTX_NO_PLUGINS=1 domctx --strict verify a.img",
        "DOMCTX_DISABLE_PLUGINS=nearby domctx --strict verify a.img",
        "DOMCTX_LOAD_PLUGINS= domctx --strict verify a.img",
        "domctx --no-plugins plugins list",
        "domctx show a.img",
    ],
)
def test_a_plugin_that_is_off_or_not_needed_is_not_imported(runner: Runner, command: str) -> None:
    runner.run("domctx --no-plugins save sim:seed=1 -o a.img")
    _plugin_in(runner.folder)
    runner.run(f"export PYTHONPATH={runner.folder}")
    assert "imported" not in runner.run(command)
    assert runner.status == 0


# ------------------------------------------------------------------------------------------ site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


def test_the_site_has_every_page_and_no_more(site: Path) -> None:
    sources = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    made = {path.relative_to(site) for path in site.rglob("*.html")} - {
        Path("genindex.html"),
        Path("py-modindex.html"),
        Path("search.html"),
    }
    assert made == sources


def test_every_public_name_is_in_the_index_of_the_site(site: Path) -> None:
    inventory = (site / "objects.inv").read_bytes()
    text = zlib.decompress(inventory.split(b"\n", 4)[4]).decode()
    objects = [line.split(" ", 1)[0] for line in text.splitlines() if " py:" in line]
    named = {name.rpartition(".")[2] for name in objects}
    assert set(domctx_core.__all__) - named == set()
    assert set(HOOKS) <= named


# ------------------------------------------------------------------------------------ the others


def test_the_changes_name_every_verb_and_every_plugin() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text()
    named = set(re.findall(r"`(?:domctx )?([\w-]+)`", changes))
    assert {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")} <= named
    assert set(VERBS) <= named


def test_dependencies_are_those_of_the_project() -> None:
    page = (DOCS / "explanation" / "dependencies.md").read_text()
    rows = re.findall(r"^\| ([\w., -]+) \|", page, flags=re.MULTILINE)
    explained = {name.strip() for row in rows for name in row.split(",")} - {"package"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = list(project["project"]["dependencies"])
    for group in project["dependency-groups"].values():
        asked += [each for each in group if isinstance(each, str)]
    assert explained == {re.split(r"[<>=~ ]", each)[0] for each in asked}


def test_dependencies_are_imported_where_the_page_says() -> None:
    page = (DOCS / "explanation" / "dependencies.md").read_text()
    run_time = page.split("## For development")[0]
    for package, places in re.findall(r"^\| ([\w-]+) \| (`[^|]*) \|", run_time, re.MULTILINE):
        module = package.replace("-", "_")
        using = {path for path in (ROOT / "domctx_core").rglob("*.py") if module in _imported(path)}
        assert using, f"nothing imports {package}"
        for place in re.findall(r"`([\w/.]+)`", places):
            stem = ROOT / "domctx_core" / place
            there = {stem, stem.with_suffix(".py")} | set(stem.rglob("*.py"))
            assert using & there, f"{place} does not import {package}"
            using -= there
        assert not using, f"{package} is imported elsewhere too"


@functools.cache
def _imported(path: Path) -> set[str]:
    """The top-level packages that a module imports, at once or later; types alone do not count."""
    found: set[str] = set()
    left: list[ast.AST] = [ast.parse(path.read_text())]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            left += node.orelse
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
        else:
            left += ast.iter_child_nodes(node)
    return found
