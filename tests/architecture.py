"""Measures the architecture of domctx_core: rooms, floors, imports, sizes, prose.

A *room* is a file or folder at the root of the package, and the face its `__init__`. An *arrow* is an
import, wherever in a module it stands: at the top, in a function, under TYPE_CHECKING, as a string given
to `import_module`, or as an entry of the table from which a lazy `__getattr__` imports. Nothing is
executed, so that another checkout can be measured with `--root`.

`python tests/architecture.py` prints the figures; `--json` as JSON, `--imports` every arrow between rooms
with the imports behind it, `--docstrings` the docstrings that do not begin with a verb. The limits are
kept by test_architecture.py, the picture is drawn by docs/make_rooms.py.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import re
import statistics
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["FLOORS", "ROOT", "ClassFigures", "House", "Import", "Module", "circles", "imports_in"]

ROOT = Path(__file__).parent.parent
PACKAGE = "domctx_core"
FACE = "face"

#: The rooms from the ground up. A module imports from its own room and from lower floors: rooms of
#: one floor do not know each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("base", "_version"),
    ("layout",),
    ("model",),
    ("reader", "host"),
    ("engine", "verification"),
    ("document", "images", "authoring"),
    ("report",),
    ("cli", FACE),
    ("testing", "__main__"),
)

MODULE_LINES = 450
PUBLIC_MEMBERS = 30

#: How docstrings of functions begin. A verb that is missing here is added here.
VERBS = frozenset(
    """
    abort accept accumulate acquire add adjust advance align allow answer append apply assemble assert assign
    attach begin bind block borrow build bump cache calculate call cancel cap cast change check choose claim
    clean clear clip close collect combine compare compile complete compose compress compute configure confirm
    connect consider construct consume continue convert copy count create cut declare decode decompress deduce
    defer define delete derive describe detach determine disable discard discover dispatch display divide do
    draw drop dump emit enable encode end enforce enqueue ensure enter enumerate escape estimate evaluate
    exclude execute exit expand expect explain export express extend extract fail feed fetch fill filter find
    finish fit flag flatten flush fold follow forget form format forward frame freeze gather generate get give
    go group guard guess handle hand hash have hide highlight hold identify ignore implement import include
    increment indent index infer initialise insert inspect install interpret invoke isolate issue iterate join
    judge jump keep label lay leave let limit link list load locate lock log look lower make manage map
    mark match materialise measure meet merge mirror mix modify mount move name narrow negate normalise note
    notice notify number observe offer omit open order output overlay override own pack pad paint parse pass
    patch pause peek perform pick place plan point pop populate position prefer prepare prepend present print
    process produce propagate prove provide prune publish pull push put queue quote raise read rebuild receive
    recognise record recover reduce refer refuse register reject release reload remember remove render reorder
    repeat replace replay report represent request require reserve reset resolve restore restrict resume retry
    return reveal reverse revert rewind rewrite round route run sample save scan schedule search seek select
    send separate serialise serve set settle shift shorten show shrink signal simulate size skip slice sort
    specify spell split spool start state step stop store stream strip submit subtract suggest sum supply
    suppress swap switch take tell terminate test tidy toggle trace track translate transform traverse treat
    trim try turn undo unify unpack unpause update use validate verify view visit wait walk warn watch weigh
    widen withdraw wrap write yield
    """.split()  # noqa: SIM905
)


# ------------------------------------------------------------------------------------ one module


class Import(NamedTuple):
    """A module that another imports, and where it does so."""

    target: str
    line: int


@dataclass(frozen=True)
class Module:
    """One module: its source, its place in the house and what it imports of the package."""

    name: str
    path: Path
    source: str
    imports: tuple[Import, ...]
    foreign: tuple[Import, ...]
    tree: ast.Module = field(repr=False)

    @property
    def room(self) -> str:
        """The name of its room; FACE for the package itself."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else FACE

    @property
    def is_package(self) -> bool:
        """Whether it is an `__init__`."""
        return self.path.name == "__init__.py"

    @property
    def lines(self) -> int:
        """All of its lines."""
        return self.source.count("\n")

    @cached_property
    def docstrings(self) -> list[ast.Constant]:
        """Every string that stands as a statement: docstrings, and those after an attribute."""
        return [
            node.value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ]

    @cached_property
    def comment_lines(self) -> int:
        """Lines that have a comment, behind code or alone."""
        return len(self._line_kinds[0])

    @cached_property
    def code_lines(self) -> int:
        """Lines that have code: without blank lines, comments and docstrings."""
        return len(self._line_kinds[1])

    @cached_property
    def _line_kinds(self) -> tuple[set[int], set[int]]:
        comments: set[int] = set()
        code: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.source).readline):
            if token.type == tokenize.COMMENT:
                comments.add(token.start[0])
            elif token.type not in _NO_CODE:
                code |= set(range(token.start[0], token.end[0] + 1))
        for string in self.docstrings:
            code -= set(range(string.lineno, (string.end_lineno or string.lineno) + 1))
        return comments, code

    @cached_property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Its functions and methods, nested ones too."""
        kinds = ast.FunctionDef, ast.AsyncFunctionDef
        return [node for node in ast.walk(self.tree) if isinstance(node, kinds)]


_NO_CODE = {
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def imports_in(
    tree: ast.Module, module: str, *, package: bool, known: Iterable[str] = ()
) -> list[Import]:
    """Return every import in a module's tree, wherever it is written.

    A name that is imported from a package counts as the module of that name where there is one in
    `known`, else as the package.
    """
    known = set(known)
    found: set[Import] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {Import(alias.name, node.lineno) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parts = parts[: len(parts) - node.level + package]
                base = ".".join([*parts, *([base] if base else [])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.add(Import(whole if whole in known else base, node.lineno))
        elif isinstance(node, ast.Call) and _is_import_call(node.func):
            found |= {Import(name, node.lineno) for name in _strings(node.args[:1])}
    if any(isinstance(n, ast.FunctionDef) and n.name == "__getattr__" for n in tree.body):
        found |= set(_lazy_imports(tree, module, known))
    return sorted(found)


def _is_import_call(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__")


def _strings(nodes: Iterable[ast.AST]) -> list[str]:
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def _lazy_imports(tree: ast.Module, package: str, known: set[str]) -> Iterator[Import]:
    """Yield the modules in the tables of a module with a `__getattr__`, named in full or relative to it."""
    for statement in tree.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        for table in ast.walk(statement.value):
            if isinstance(table, ast.Dict):
                for node in ast.walk(table):
                    for text in _strings([node]):
                        for name in {text, f"{package}.{text}", f"{PACKAGE}.{text}"}:
                            if name in known:
                                yield Import(name, node.lineno)  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------- the house


@dataclass(frozen=True)
class ClassFigures:
    """The members that a class offers, those of its base classes in the package included."""

    name: str
    module: str
    methods: frozenset[str]
    attributes: frozenset[str]

    @property
    def public(self) -> list[str]:
        """The names without an underscore."""
        return sorted(name for name in self.methods | self.attributes if name[0] != "_")


class House:
    """The modules of the package below `root`, with what can be measured of them."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        paths = {_module_name(p, root): p for p in sorted((root / PACKAGE).rglob("*.py"))}
        self.modules = {name: self._read(name, path, paths) for name, path in paths.items()}

    def _read(self, name: str, path: Path, known: Mapping[str, Path]) -> Module:
        source = path.read_text()
        tree = ast.parse(source)
        found = imports_in(tree, name, package=path.name == "__init__.py", known=known)
        own = tuple(each for each in found if each.target in known and each.target != name)
        foreign = tuple(each for each in found if each.target.partition(".")[0] != PACKAGE)
        return Module(name, path, source, own, foreign, tree)

    # imports

    @cached_property
    def rooms(self) -> list[str]:
        """The rooms, in the order of the floors where they are known there."""
        order = {room: number for number, floor in enumerate(FLOORS) for room in floor}
        rooms = {module.room for module in self.modules.values()}
        return sorted(rooms, key=lambda room: (order.get(room, len(FLOORS)), room))

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """The modules that each module imports."""
        return {
            name: {each.target for each in module.imports} for name, module in self.modules.items()
        }

    @cached_property
    def arrows(self) -> dict[tuple[str, str], list[tuple[str, str]]]:
        """The imports of one room from another: the pairs of modules behind each pair of rooms."""
        arrows: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for name, targets in self.imports.items():
            for target in sorted(targets):
                pair = self.modules[name].room, self.modules[target].room
                if pair[0] != pair[1]:
                    arrows[pair].append((name, target))
        return dict(sorted(arrows.items()))

    def upward(self) -> list[tuple[str, str]]:
        """Return the imports, as pairs of modules, that do not go to a lower floor."""
        floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
        return [
            pair
            for (source, target), pairs in self.arrows.items()
            if source in floor and target in floor and floor[target] >= floor[source]
            for pair in pairs
        ]

    def circles(self) -> list[list[str]]:
        """Return the groups of modules that import each other, directly or through others."""
        return circles(self.imports)

    def levels(self) -> int:
        """Return the number of floors that the arrows between rooms need; a circle counts as one room."""
        graph: dict[str, set[str]] = {room: set() for room in self.rooms}
        for source, target in self.arrows:
            graph[source].add(target)
        group = {room: room for room in graph}
        for circle in circles(graph):
            group |= dict.fromkeys(circle, circle[0])
        merged: dict[str, set[str]] = defaultdict(set)
        for room, targets in graph.items():
            merged[group[room]] |= {group[target] for target in targets} - {group[room]}
        heights: dict[str, int] = {}

        def height(room: str) -> int:
            if room not in heights:
                heights[room] = 1 + max(map(height, merged[room]), default=0)
            return heights[room]

        return max(map(height, list(merged)), default=0)

    # sizes

    def flat(self) -> list[str]:
        """Return the modules that lie at the root of the package."""
        return [name for name, module in self.modules.items() if module.path.parent.name == PACKAGE]

    def classes(self) -> list[ClassFigures]:
        """Return the classes with their public members, the largest first."""
        reader = _ClassReader(self)
        figures = [
            reader.figures(module.name, node)
            for module in self.modules.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef)
        ]
        return sorted(figures, key=lambda each: (-len(each.public), each.name))

    def face(self) -> list[str]:
        """Return the public names of the package: its `__all__`, or the keys of its lazy table."""
        names: list[str] = []
        for path in (self.root / PACKAGE / "__init__.py", self.root / PACKAGE / "__init__.pyi"):
            if path.exists() and not names:
                names = _names_listed(ast.parse(path.read_text()))
        return sorted(names)

    # tests

    def tested_by_name(self) -> tuple[list[str], list[str]]:
        """Return the modules whose tests are in a file of their name, and the others.

        `a/b.py` has its tests in `tests/a/test_b.py`, and so has `a/b/__init__.py`. Modules without a
        function are not counted.
        """
        found: tuple[list[str], list[str]] = ([], [])
        for module in self.modules.values():
            if module.functions:
                parts = module.path.relative_to(self.root / PACKAGE).with_suffix("").parts
                if parts[-1] == "__init__":
                    parts = parts[:-1] or (PACKAGE,)
                path = self.root.joinpath("tests", *parts[:-1], f"test_{parts[-1].strip('_')}.py")
                found[not path.exists()].append(module.name)
        return found


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the strongly connected components of a graph that are larger than one node (Tarjan)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in number:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], number[target])
        if low[node] == number[node]:
            at = stack.index(node)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return sorted(found)


def _names_listed(tree: ast.Module) -> list[str]:
    """Return the strings of `__all__`, else the keys of the first table of a module with `__getattr__`."""
    tables: list[list[str]] = []
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if getattr(target, "id", "") == "__all__" and isinstance(
                node.value, ast.List | ast.Tuple
            ):
                return _strings(node.value.elts)
            if isinstance(node.value, ast.Dict):
                tables.append(_strings(key for key in node.value.keys if key is not None))
    return tables[0] if tables else []


class _ClassReader:
    """Collects the members of classes, with those of base classes that the package defines."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.known = {
            (module.name, node.name): node
            for module in house.modules.values()
            for node in module.tree.body
            if isinstance(node, ast.ClassDef)
        }

    def figures(self, module: str, node: ast.ClassDef) -> ClassFigures:
        methods, attributes = self._members(module, node, frozenset())
        return ClassFigures(node.name, module, frozenset(methods), frozenset(attributes - methods))

    def _members(
        self, module: str, node: ast.ClassDef, seen: frozenset[str]
    ) -> tuple[set[str], set[str]]:
        methods, attributes = _own_members(node)
        for base in node.bases:
            name = base.value if isinstance(base, ast.Subscript) else base
            found = self._resolve(module, ast.unparse(name))
            if found is not None and found[1].name not in seen:
                inherited = self._members(*found, seen | {node.name})
                methods |= inherited[0]
                attributes |= inherited[1]
        return methods, attributes

    def _resolve(self, module: str, name: str) -> tuple[str, ast.ClassDef] | None:
        if (module, name) in self.known:
            return module, self.known[module, name]
        for node in ast.walk(self.house.modules[module].tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    target = node.module or "", alias.name
                    if (alias.asname or alias.name) == name and target in self.known:
                        return target[0], self.known[target]
        return None


def _own_members(node: ast.ClassDef) -> tuple[set[str], set[str]]:
    """Return the methods of a class, and its attributes: properties, fields, what `self` gets."""
    methods: set[str] = set()
    attributes: set[str] = set()
    constants = any(
        "Enum" in ast.unparse(base) or "Flag" in ast.unparse(base) for base in node.bases
    )
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            (attributes if _is_property(each) else methods).add(each.name)
            attributes |= set(_self_attributes(each))
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            attributes.add(each.target.id)
        elif isinstance(each, ast.Assign) and not constants:
            attributes |= {target.id for target in each.targets if isinstance(target, ast.Name)}
    return methods, attributes


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(re.search(r"property$|\.setter$", ast.unparse(each)) for each in node.decorator_list)


def _self_attributes(method: ast.AST) -> Iterator[str]:
    for node in ast.walk(method):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        ):
            yield node.attr


# ------------------------------------------------------------------------------- functions, prose


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function from `def` to its end."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def nesting(node: ast.AST) -> int:
    """Return how deep the blocks of a function are nested; an `elif` is no deeper than its `if`."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        opens = isinstance(child, _BLOCKS) and not _is_elif(node, child)
        deepest = max(deepest, opens + nesting(child))
    return deepest


_BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match, ast.AsyncFor, ast.AsyncWith)


def _is_elif(parent: ast.AST, child: ast.AST) -> bool:
    return isinstance(parent, ast.If) and parent.orelse == [child] and isinstance(child, ast.If)


def begins_with_verb(docstring: str) -> bool:
    """Return True if a docstring begins with a verb in the imperative; before "of" it is a noun."""
    found = re.match(r"\W*([A-Za-z]+)(?! of\b)\b", docstring)
    return found is not None and found[1].lower() in VERBS


def docstrings_of_functions(module: Module) -> Iterator[tuple[str, int, str]]:
    """Yield name, line and docstring of functions and methods; a property is named, not commanded."""
    for node in module.functions:
        docstring = ast.get_docstring(node)
        if docstring and not _is_property(node):
            yield f"{module.name}.{node.name}", node.lineno, docstring


# --------------------------------------------------------------------------------------- figures


def measure(house: House) -> dict[str, Any]:
    """Return all figures of a house, as JSON has them."""
    return {
        **_figures_of_rooms(house),
        **_figures_of_sizes(house),
        **_figures_of_prose(house),
        "tests_of_their_name": _share(*map(len, house.tested_by_name())),
        "without_tests_of_their_name": house.tested_by_name()[1],
    }


def _figures_of_rooms(house: House) -> dict[str, Any]:
    modules = list(house.modules.values())
    return {
        "modules": len(modules),
        "lines": sum(m.lines for m in modules),
        "code_lines": sum(m.code_lines for m in modules),
        "by_room": {
            room: {
                "modules": len(own),
                "lines": sum(m.lines for m in own),
                "code_lines": sum(m.code_lines for m in own),
            }
            for room in house.rooms
            for own in [[m for m in modules if m.room == room]]
        },
        "flat_modules": len(house.flat()),
        "rooms": len(house.rooms),
        "floors": house.levels(),
        "arrows_between_rooms": len(house.arrows),
        "imports_between_rooms": sum(map(len, house.arrows.values())),
        "arrows_up": [list(pair) for pair in house.upward()],
        "circles": house.circles(),
        "names_in_the_face": len(house.face()),
    }


def _figures_of_sizes(house: House) -> dict[str, Any]:
    modules = list(house.modules.values())
    functions = [(function_lines(f), f"{m.name}.{f.name}") for m in modules for f in m.functions]
    functions.sort(reverse=True)
    lengths = [length for length, _ in functions]
    classes = house.classes()
    return {
        "function_median": statistics.median(lengths),
        "function_90th_percentile": lengths[len(lengths) // 10],
        "longest_functions": {name: length for length, name in functions[:5]},
        "deepest_nesting": max(nesting(f) for m in modules for f in m.functions),
        "longest_modules": {m.name: m.lines for m in sorted(modules, key=lambda m: -m.lines)[:10]},
        "modules_over_limit": [m.name for m in modules if m.lines > MODULE_LINES],
        "largest_classes": {f"{c.module}.{c.name}": len(c.public) for c in classes[:10]},
        "classes_over_limit": [c.name for c in classes if len(c.public) > PUBLIC_MEMBERS],
        "seen_by_authors": {
            f"{c.module}.{c.name}": {
                "public": len(c.public),
                "methods": len(c.methods),
                "attributes": len(c.attributes),
            }
            for c in sorted(classes, key=lambda c: c.name)
            if c.name in _AUTHORS_SEE
        },
    }


_AUTHORS_SEE = ("Body", "Domain", "LoadContext", "RecordType", "SaveContext")


def _figures_of_prose(house: House) -> dict[str, Any]:
    modules = house.modules.values()
    strings = " ".join(str(s.value) for m in modules for s in m.docstrings)
    words = re.findall(r"[a-z']+", strings.lower())
    docstrings = [text for m in modules for _, _, text in docstrings_of_functions(m)]
    verbs = sum(map(begins_with_verb, docstrings))

    def per_thousand(*wanted: str) -> float:
        return round(1000 * sum(word in wanted for word in words) / len(words), 2)

    return {
        "docstrings_that_begin_with_a_verb": _share(verbs, len(docstrings) - verbs),
        "say_per_1000_words": per_thousand("say", "says", "said"),
        "return_per_1000_words": per_thousand("return", "returns"),
        "lines_with_a_comment": _share(
            sum(m.comment_lines for m in modules), sum(m.lines - m.comment_lines for m in modules)
        ),
    }


def _share(part: int, rest: int) -> float:
    return round(part / (part + rest), 3) if part + rest else 1.0


def table(figures: Mapping[str, Any]) -> str:
    """Return figures as text, one to a line; what belongs to a figure is indented below it."""
    lines = []
    for name, value in figures.items():
        title = name.replace("_", " ")
        if isinstance(value, dict):
            lines.append(f"{title}:")
            lines += [f"    {key:<50} {_shown(each)}" for key, each in value.items()]
        elif isinstance(value, list):
            lines.append(f"{title:<54} {len(value)}")
            lines += [f"    {_shown(each)}" for each in value]
        else:
            lines.append(f"{title:<54} {value}")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in value.items())
    return " -> ".join(value) if isinstance(value, list) else str(value)


def main() -> None:
    """Print what the arguments ask for."""
    parser = argparse.ArgumentParser(description="Measure the architecture of domctx_core.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (this one)")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--imports", action="store_true", help="each arrow, and what is behind it")
    parser.add_argument("--docstrings", action="store_true", help="those without a verb")
    given = parser.parse_args()
    house = House(given.root)
    if given.imports:
        text = "\n".join(_imports_shown(house))
    elif given.docstrings:
        text = "\n".join(_docstrings_shown(house))
    elif given.json:
        text = json.dumps(measure(house), indent=2)
    else:
        text = table(measure(house))
    sys.stdout.write(text + "\n")


def _imports_shown(house: House) -> Iterator[str]:
    for (source, target), pairs in house.arrows.items():
        yield f"{source} -> {target}"
        yield from (f"    {a} -> {b}" for a, b in pairs)


def _docstrings_shown(house: House) -> Iterator[str]:
    for module in house.modules.values():
        for name, line, text in docstrings_of_functions(module):
            if not begins_with_verb(text):
                path = module.path.relative_to(house.root)
                yield f"{path}:{line}: {name}: {text.splitlines()[0]}"


if __name__ == "__main__":
    main()
