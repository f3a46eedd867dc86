"""Each hook of a pluggy module, by what a user of the command line gets from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder

NOTE = """
    from domctx_core import Body, RecordType, SINGLE, u32

    class Note(Body):
        '''A number.'''
        value: int = u32(doc="the number", maximum=9)

    class NoteRecord(RecordType[Note]):
        '''A note.'''
        code, name, body, instances = 0x80000001, "NOTE", Note, SINGLE
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image with one record of type 0x80000001, body 7."""
    path = tmp_path / "a.img"
    body = (7).to_bytes(4, "little")
    path.write_bytes(ImageBuilder().start().record(0x80000001, 0, body).end().build())
    return path


def _module(dists: FakeDists, source: str) -> None:
    """A plugin whose only entry point is a module of hooks."""
    points = {"domctx.plugins": {"hooked": "hooked_module"}}
    dists.add("domctx-plugin-hooked", "1.0", points, {"hooked_module": source, "note_module": NOTE})


def test_record_types(domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path) -> None:
    assert domctx_cli("verify", image).status == 1
    _module(
        domctx_dists,
        """
        from domctx_core import RecordTypeDeclaration, hookimpl
        from note_module import NoteRecord

        @hookimpl
        def domctx_record_types():
            return [RecordTypeDeclaration(NoteRecord)]
        """,
    )
    record = domctx_cli("show", "--json", image).json["records"][1]
    assert (record["name"], record["body"]) == ("NOTE", {"value": 7})
    assert record["provider"] == {"dist": "domctx-plugin-hooked", "version": "1.0"}
    assert domctx_cli("verify", image).status == 0


def test_formats(domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path) -> None:
    path = tmp_path / "a.bare"
    path.write_bytes(b"BARE\0\0\0\2")
    assert domctx_cli("show", path).status != 0
    _module(
        domctx_dists,
        """
        from domctx_core import Body, Format, FormatDeclaration, Framing, blob, hookimpl, u32

        class Prologue(Body, byteorder="big"):
            '''All that there is.'''
            magic: bytes = blob(4, doc="BARE")
            version: int = u32(doc="of the format")

        class Bare(Format):
            name, title = "bare", "bare file"

            def recognises(self, head):
                return head.startswith(b"BARE")

            def prologue(self, bodies):
                return None if bodies else (Prologue, 8)

            def framing(self, bodies, head):
                return Framing("big", bodies[0].version)

        @hookimpl
        def domctx_formats():
            return [FormatDeclaration(Bare)]
        """,
    )
    shown = domctx_cli("show", "--json", path)
    assert (shown.json["format"], shown.json["format_version"]) == ("bare", 2)


def test_domains(domctx_dists: FakeDists, domctx_cli: CommandRunner) -> None:
    assert domctx_cli("size", "void:").status == 2
    _module(
        domctx_dists,
        """
        from domctx_core import Domain, DomainDeclaration, XenVersion, hookimpl

        class Void(Domain):
            xen_version = XenVersion(4, 17)

            def pause(self): ...

            def unpause(self): ...

        @hookimpl
        def domctx_domains():
            return [DomainDeclaration("void", lambda request: Void())]
        """,
    )
    assert domctx_cli("size", "void:").out == "40\n"


def test_checks(domctx_dists: FakeDists, domctx_cli: CommandRunner, image: Path) -> None:
    _module(
        domctx_dists,
        """
        from domctx_core import (
            Check, CheckDeclaration, Problem, RecordTypeDeclaration, Rule, Severity, hookimpl,
        )
        from note_module import NoteRecord

        SEVEN = Rule("hooked/seven", Severity.ERROR, None, "it is seven", "Bad luck.", "None.", "7")

        class Sevens(Check):
            codes = frozenset({0x80000001})
            rules = (SEVEN,)

            def record(self, seen):
                if seen.body.value == 7:
                    yield Problem("hooked/seven", "seven!", 0, "value")

        @hookimpl
        def domctx_record_types():
            return [RecordTypeDeclaration(NoteRecord)]

        @hookimpl
        def domctx_checks():
            return [CheckDeclaration(Sevens)]
        """,
    )
    verified = domctx_cli("verify", "--json", image)
    (finding,) = verified.json["images"][0]["findings"]
    assert (verified.status, finding["rule"], finding["offset"]) == (1, "hooked/seven", 40)
    refused = domctx_cli("load", image, "sim:")
    assert (refused.status, "hooked/seven" in refused.err) == (1, True)
    assert "Bad luck." in domctx_cli("explain", "hooked/seven").out


def test_commands(domctx_dists: FakeDists, domctx_cli: CommandRunner) -> None:
    assert domctx_cli("hello").status == 2
    _module(
        domctx_dists,
        """
        import click
        from domctx_core import CommandDeclaration, hookimpl

        @click.command()
        @click.argument("name")
        @click.pass_obj
        def hello(app, name):
            app.out(f"hello {name}")
            app.raise_status(1)

        @hookimpl
        def domctx_commands():
            return [CommandDeclaration("hello", hello)]
        """,
    )
    said = domctx_cli("hello", "dom0")
    assert (said.status, said.out) == (1, "hello dom0\n")


def test_observers(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path, image: Path
) -> None:
    log = tmp_path / "log"
    _module(
        domctx_dists,
        f"""
        import json
        from domctx_core import Observer, ObserverDeclaration, hookimpl

        class Log(Observer):
            def begin(self, operation):
                self.seen = []

            def records(self, batch):
                self.seen += [(event.code, event.offset, event.length) for event in batch]

            def end(self, operation, error):
                with open({str(log)!r}, "a") as file:
                    line = [operation.kind, self.seen, type(error).__name__]
                    file.write(json.dumps(line) + "\\n")

        @hookimpl
        def domctx_observers():
            return [ObserverDeclaration(Log)]
        """,
    )
    assert domctx_cli("save", "sim:seed=1", "-o", tmp_path / "saved.img").status == 0
    assert domctx_cli("load", image, "sim:").status != 0
    assert domctx_cli("verify", image).status == 1
    saved, loaded, verified = map(json.loads, log.read_text().splitlines())
    assert saved == ["save", [[1, 0, 8], [0, 24, 0]], "NoneType"]
    assert loaded == ["load", [[1, 0, 8]], "ImageError"]
    assert verified == ["verify", [[1, 0, 8], [0x80000001, 24, 4], [0, 48, 0]], "NoneType"]
