"""The scaffold: a complete package for a new record type, made from templates.

The templates are data of this package, so nothing is fetched and no other tool is needed. The
new package passes its own tests, its linters and `domctx plugins check` as it is.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from domctx_core._version import __version__
from domctx_core.authoring.type_codes import THIRD_PARTY, code_fault
from domctx_core.base.errors import ConflictError, UsageError, io_error
from domctx_core.host.discovery import normalise
from domctx_core.model.registry import Registry
from domctx_core.model.validation import NAME_SIZE

__all__ = ["Names", "code_for", "git_author", "write_plugin"]

_PREFIX = "domctx-plugin-"

_FILES = {
    "pyproject.toml": "pyproject.toml.in",
    "README.md": "README.md.in",
    "LICENSE": "LICENSE.in",
    "CHANGELOG.md": "CHANGELOG.md.in",
    ".gitignore": "gitignore.in",
    ".github/workflows/ci.yml": "ci.yml.in",
    "src/${package}/__init__.py": "record.py.in",
    "src/${package}/py.typed": "py.typed.in",
    "tests/test_${module}.py": "test_record.py.in",
}
"""Each file of the new package and the template that it is made from."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names derived from the one that the author gives, such as `grant-table`.

    `dist` domctx-plugin-grant-table; `package` domctx_plugin_grant_table; `module` grant_table;
    `record` GRANT_TABLE, the record type's name; `stem` GrantTable, which classes begin with.
    """

    name: str

    @classmethod
    def of(cls, text: str) -> Names:
        """Derive the names from `text`; case and separators do not matter.

        Raise `UsageError` if they would be no names, or the record type's would not fit its buffer
        in the registry.
        """
        name = normalise(text.strip()).removeprefix(_PREFIX)
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
            raise UsageError(
                f"{text!r} cannot be the name of a plugin",
                expected="a letter, then letters, digits and single hyphens",
                hint="such as grant-table",
            )
        if len(name) >= NAME_SIZE:
            raise UsageError(
                f"the record type's name would be {name.replace('-', '_').upper()}, which does not"
                " fit its buffer",
                expected=f"at most {NAME_SIZE - 1} characters",
                actual=len(name),
                hint="choose a shorter name; names are never cut",
            )
        return cls(name)

    @property
    def dist(self) -> str:
        """The distribution."""
        return _PREFIX + self.name

    @property
    def package(self) -> str:
        """The Python package."""
        return self.dist.replace("-", "_")

    @property
    def module(self) -> str:
        """The name as part of an identifier."""
        return self.name.replace("-", "_")

    @property
    def record(self) -> str:
        """The record type's name."""
        return self.module.upper()

    @property
    def stem(self) -> str:
        """What the names of classes begin with."""
        return "".join(part.capitalize() for part in self.name.split("-"))


def code_for(names: Names, registry: Registry) -> int:
    """Return a type code for third parties: the same for a name each time, unless it is taken."""
    digest = hashlib.sha256(names.name.encode()).digest()
    index = int.from_bytes(digest[:8], "big")
    taken = {entry.code for entry in registry}
    while THIRD_PARTY[index % len(THIRD_PARTY)] in taken:
        index += 1
    return THIRD_PARTY[index % len(THIRD_PARTY)]


def git_author() -> str | None:
    """Return the user name that git is configured with; None without git or a name."""
    try:
        done = subprocess.run(
            ["git", "config", "user.name"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() or None


def write_plugin(
    names: Names,
    directory: str | os.PathLike[str],
    registry: Registry,
    *,
    code: int | None = None,
    author: str | None = None,
) -> Path:
    """Write the package of a new record type into `directory`; return the folder created for it.

    `registry` is that of the domain context, in which code and name must be free. The folder
    appears whole or not at all. Raise `UsageError` for a name or code that is taken or reserved
    and for a folder that exists and is not empty, `InputOutputError` if nothing can be written.
    """
    if code is None:
        code = code_for(names, registry)
    _refuse_code(code, registry)
    _refuse_name(names.record, registry)
    target = Path(directory) / names.dist
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UsageError(
                f"{target} already exists", hint="remove it, or choose another --directory"
            )
        with tempfile.TemporaryDirectory(prefix=f".{names.dist}-", dir=directory) as beside:
            made = Path(beside) / names.dist
            _write(made, _values(names, code, author))
            made.rename(target)
    except OSError as error:
        raise io_error(f"write {target}", error) from error
    return target


def _refuse_code(code: int, registry: Registry) -> None:
    fault = code_fault(code, None)
    if not 0 <= code < 2**32:
        fault = f"{code:#x} is not a type code: expected an unsigned 32-bit number"
    if fault is not None:
        raise UsageError(fault, hint="omit --code to get one that is free")
    taken = next((entry for entry in registry if entry.code == code), None)
    if taken is not None:
        raise UsageError(
            f"type code {code:#x} is {taken.name} of {taken.provider}",
            hint="omit --code to get one that is free",
        )


def _refuse_name(name: str, registry: Registry) -> None:
    try:
        taken = registry.find(name)
    except ConflictError as error:
        raise UsageError(error.message, hint="choose another name") from error
    if taken is not None:
        raise UsageError(
            f"the name {name} is taken by {taken.provider}", hint="choose another name"
        )


def _values(names: Names, code: int, author: str | None) -> Mapping[str, str]:
    holder = " ".join((author or "").split()) or "the authors"
    return {
        "dist": names.dist,
        "package": names.package,
        "module": names.module,
        "record": names.record,
        "stem": names.stem,
        "code": f"0x{code:X}",
        "code_bytes": code.to_bytes(4, "little").hex(" "),
        "core": _core_range(__version__),
        "holder": holder,
        "holder_toml": json.dumps(holder, ensure_ascii=False),
        "year": str(datetime.date.today().year),
    }


def _core_range(version: str) -> str:
    """Return the versions of the core that have the interface that the templates use."""
    major, minor = version.split(".")[:2]
    return f">={major}.{minor},<{int(major) + 1}"


def _write(folder: Path, values: Mapping[str, str]) -> None:
    templates = resources.files(__package__) / "templates"
    for name, template in _FILES.items():
        path = folder / Template(name).substitute(values)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (templates / template).read_text(encoding="utf-8")
        path.write_text(Template(text).substitute(values), encoding="utf-8")
