"""Runs what the pages of the documentation show, and writes down what it prints.

A page is Markdown. Its fenced blocks are executed from top to bottom in one empty folder:

* `console`: lines that begin with `$ ` are commands of a POSIX shell, what follows each is all
  that it prints (standard error too). A line `...` stands for any number of lines, and `in 0.12s` for any
  duration. A command that fails must be followed by `$ echo $?`, so that readers see the status as well.
* `python`: a doctest where it has prompts, else a module's text; all of a page share one
  namespace.
* any block whose paragraph before it is just a path in backticks and a colon is written to that
  file, and not executed.

`python tests/docs_pages.py --update PAGE...` replaces the output in console blocks by what the
commands print now.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import types
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]

_FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([^`\n]+)`:\n\n\Z")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, text, and 1-based line in the page; `file` to write it to."""

    language: str
    text: str
    line: int
    file: str | None


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page's text."""
    for match in _FENCE.finditer(page):
        before = page[: match.start()]
        named = _FILE.search(before)
        own_line = named and (named.start() == 0 or before[named.start() - 1] == "\n")
        yield Block(
            match[1], match[2], before.count("\n") + 1, named[1] if named and own_line else None
        )


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with the output shown after it."""
    command: str | None = None
    shown: list[str] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            if command is not None:
                yield command, "".join(shown)
            command, shown = line[2:], []
        else:
            shown.append(line + "\n")
    if command is not None:
        yield command, "".join(shown)


def alike(shown: str, printed: str) -> bool:
    """Whether the output shown is what was printed; a line `...` stands for any lines."""
    shown, printed = (re.sub(r"\bin \d+\.\d\ds\b", "in time", text) for text in (shown, printed))
    parts = re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE)
    pattern = r"(?s:.*)".join(map(re.escape, parts))
    return re.fullmatch(pattern, printed) is not None


class Environment:
    """A virtual environment that sees this one's packages, with `domctx` and `pip` of its own.

    What is installed into it stays in it, and nothing in it needs a network. As with the scripts that
    pip makes, the current folder is not on the path.
    """

    def __init__(self, folder: Path) -> None:
        builder = venv.EnvBuilder(with_pip=False, symlinks=True)
        builder.create(folder)
        self.bin = folder / "bin"
        own = next((folder / "lib").glob("python*")) / "site-packages"
        sites = [path for path in sys.path if Path(path).name == "site-packages"]
        lines = [f"import site; site.addsitedir({path!r})" for path in sites]
        (own / "project.pth").write_text("\n".join(lines) + "\n")
        for name, module in (("domctx", "domctx_core"), ("pip", "pip")):
            script = self.bin / name
            script.write_text(f'#!/bin/sh\nexec "{self.bin}/python" -P -m {module} "$@"\n')
            script.chmod(0o755)

    def variables(self, home: Path) -> dict[str, str]:
        """The environment variables of a plain terminal, 80 columns wide, without a network."""
        return {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }


class Runner:
    """Executes one page in `folder`."""

    def __init__(self, name: str, folder: Path, environment: Environment) -> None:
        self.name = name
        self.folder = folder
        self.variables = environment.variables(folder)
        self.cwd = folder
        self.status = 0
        examples = folder / "examples"
        examples.symlink_to(ROOT / "examples")
        self.module = types.ModuleType("page")
        self.parser = doctest.DocTestParser()

    def run(self, command: str) -> str:
        """Run one command where the last one left off; gives what it prints."""
        exported = re.fullmatch(r"export (\w+)=(\S*)", command)
        if exported:
            self.variables[exported[1]] = exported[2]
            return ""
        left = self.folder / ".cwd"
        script = f'(exit {self.status})\n{command}\nstatus=$?; pwd > "{left}"; exit $status'
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.cwd,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        self.status = done.returncode
        self.cwd = Path(left.read_text().strip())
        return done.stdout.decode()

    def file(self, block: Block) -> None:
        """Write a block to the file that the page names."""
        assert block.file is not None
        path = self.cwd / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)

    def python(self, block: Block) -> str:
        """Execute a block in the page's namespace; gives a report of what differs, or nothing."""
        if ">>>" not in block.text:
            code = compile(block.text, f"{self.name}:{block.line}", "exec", dont_inherit=True)
            sys.modules["page"] = self.module
            exec(code, vars(self.module))
            return ""
        test = self.parser.get_doctest(
            block.text, vars(self.module), self.name, self.name, block.line
        )
        test.globs = vars(self.module)
        said: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.REPORT_NDIFF)
        sys.modules["page"] = self.module
        runner.run(test, out=said.append, clear_globs=False)
        return "".join(said)


def build_site(folder: Path) -> Path:
    """Builds the site in `folder` as `make docs` does; gives where its pages are."""
    options = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(folder / "trees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, DOCS, folder / "html"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def update(page: Path, folder: Path, environment: Environment) -> None:
    """Replace the output in a page's console blocks by what is printed now."""
    text = page.read_text()
    runner = Runner(page.name, folder, environment)
    for block in list(blocks(text)):
        if block.file:
            runner.file(block)
        elif block.language == "python":
            print(runner.python(block), end="")  # noqa: T201
        elif block.language == "console":
            fresh = ""
            for command, shown in commands(block.text):
                printed = runner.run(command)
                fresh += f"$ {command}\n" + (shown if alike(shown, printed) else printed)
            text = text.replace(f"```console\n{block.text}```", f"```console\n{fresh}```", 1)
    page.write_text(text)


if __name__ == "__main__":
    import tempfile

    if sys.argv[1:2] != ["--update"]:
        sys.exit(__doc__)
    for each in sys.argv[2:]:
        with tempfile.TemporaryDirectory() as scratch:
            work = Path(scratch, "page")
            work.mkdir()
            update(Path(each), work, Environment(Path(scratch, "environment")))
