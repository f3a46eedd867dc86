"""`domctx plugins check`: each fault of a plugin."""

from __future__ import annotations

import pytest
from record_modules import record_module
from sample_plugin import DIST, PACKAGE, POINTS, SAMPLE, TYPES, add_sample

from domctx_core.testing import CommandResult, CommandRunner, FakeDists


class TestCheck:
    def one_fault(self, domctx_cli: CommandRunner, what: str, *said: str) -> CommandResult:
        """Exactly one fault is found, by the command and in its JSON, and the status is 1."""
        document = domctx_cli("plugins", "check", "--json")
        assert document.status == 1
        assert len(document.json["faults"]) == 1, document.json["faults"]
        (fault,) = document.json["faults"]
        assert (fault["dist"], fault["what"]) == (DIST, what)
        for part in said:
            assert part in fault["message"]
        text = domctx_cli("plugins", "check", DIST)
        assert text.status == 1
        head, line = text.out.splitlines()
        assert head == DIST
        assert line == f"  {what}: {' '.join(fault['message'].split())}"
        return text

    def test_a_plugin_without_faults(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, points={**POINTS, "domctx.plugins": {"sample": PACKAGE}})
        result = domctx_cli("plugins", "check")
        assert (result.status, result.out) == (0, f"no faults in {DIST}\n")
        document = domctx_cli("plugins", "check", "--json").json
        assert document == {"schema": "domctx.check/1", "checked": [DIST], "faults": []}

    def test_without_plugins(self, domctx_cli: CommandRunner, domctx_dists: FakeDists) -> None:
        result = domctx_cli("plugins", "check")
        assert (result.status, result.out) == (0, "no plugins are installed\n")

    def test_an_import_that_fails(self, domctx_cli: CommandRunner, domctx_dists: FakeDists) -> None:
        add_sample(domctx_dists, "raise OSError('no')")
        self.one_fault(domctx_cli, "status", "is failed", "OSError: no", "domctx -v plugins info")

    def test_an_object_that_is_not_there(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, "")
        self.one_fault(domctx_cli, "status", "AttributeError", "SampleRecord")

    def test_what_is_no_record_type(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, "SampleRecord = 7")
        self.one_fault(domctx_cli, "status", "7 is not a record type")

    def test_a_name_of_an_entry_point_that_says_nothing(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, points={TYPES: {"sample": f"{PACKAGE}:SampleRecord"}})
        self.one_fault(domctx_cli, "status", "'sample'; expected [FORMAT/]CODE.NAME")

    def test_a_declaration_that_disagrees(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, points={TYPES: {"0x1235.SAMPLE": f"{PACKAGE}:SampleRecord"}})
        self.one_fault(domctx_cli, "status", "declares 4661.SAMPLE", "is 4660.SAMPLE")

    def test_a_layout_that_does_not_compile(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, SAMPLE.replace("reserved(4)", "reserved(-4)"))
        self.one_fault(domctx_cli, "status", "is failed")

    def test_a_conflict(self, domctx_cli: CommandRunner, domctx_dists: FakeDists) -> None:
        add_sample(domctx_dists)
        points = {TYPES: {"0x1234.OTHER": "other_mod:MyRecord"}}
        domctx_dists.add("other", "2.0", points, {"other_mod": record_module(0x1234, "OTHER")})
        result = domctx_cli("plugins", "check", DIST)
        assert result.status == 1
        assert "is conflict" in result.out
        assert "other 2.0 (4660.OTHER)" in result.out
        assert result.out.count("\n") == 2

    def test_a_newer_core_is_needed(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, requires=("domctx-core>=99",))
        self.one_fault(domctx_cli, "status", "incompatible", "widen the requirement")

    def test_a_second_copy(self, domctx_cli: CommandRunner, domctx_dists: FakeDists) -> None:
        add_sample(domctx_dists)
        add_sample(domctx_dists, folder="later", version="2.0")
        self.one_fault(domctx_cli, "status", "is shadowed", "uninstall one of the two copies")

    def test_misspelt_hooks_are_all_found(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        source = (
            SAMPLE + "\n@hookimpl\ndef domctx_chekcs(): pass\n@hookimpl\ndef domctx_domain(): pass"
        )
        add_sample(domctx_dists, source, points={**POINTS, "domctx.plugins": {"sample": PACKAGE}})
        result = domctx_cli("plugins", "check")
        assert result.status == 1
        assert "no hook domctx_chekcs; did you mean domctx_checks?" in result.out
        assert "no hook domctx_domain; did you mean domctx_domains?" in result.out

    def test_a_hook_that_is_not_marked(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        source = SAMPLE.replace("@hookimpl\n", "")
        add_sample(domctx_dists, source, points={**POINTS, "domctx.plugins": {"sample": PACKAGE}})
        self.one_fault(domctx_cli, "hook", "domctx_checks is not marked with @hookimpl")

    @pytest.mark.parametrize(
        ("field", "said"),
        [
            ("Summary", "add `description`"),
            ("License-Expression", "there is no licence expression"),
            ("License-File", "no licence file is shipped"),
            ("Requires-Python", "add `requires-python"),
            ("Keywords", "the keyword domctx-plugin"),
        ],
    )
    def test_metadata_that_is_missing(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists, field: str, said: str
    ) -> None:
        add_sample(domctx_dists, without=field)
        self.one_fault(domctx_cli, "metadata", said)

    def test_a_licence_file_that_is_named_and_not_there(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, licence=False)
        self.one_fault(domctx_cli, "metadata", "no licence file is shipped")

    @pytest.mark.parametrize(
        ("requires", "said"),
        [
            ((), "domctx-core is not required"),
            (("domctx-core",), "any version of domctx-core is accepted"),
            (("domctx-core!=0.0.1",), "any version of domctx-core is accepted"),
        ],
    )
    def test_the_core_that_is_needed(
        self,
        domctx_cli: CommandRunner,
        domctx_dists: FakeDists,
        requires: tuple[str, ...],
        said: str,
    ) -> None:
        add_sample(domctx_dists, requires=requires)
        self.one_fault(domctx_cli, "metadata", said)

    def test_no_py_typed(self, domctx_cli: CommandRunner, domctx_dists: FakeDists) -> None:
        add_sample(domctx_dists, typed=False)
        self.one_fault(domctx_cli, "metadata", f"{PACKAGE} has no py.typed")

    @pytest.mark.parametrize(("code", "found"), [(0x42, True), (0x100, False), (0x80000000, False)])
    def test_a_type_code_that_is_reserved(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists, code: int, found: bool
    ) -> None:
        points = {TYPES: {f"{code}.SAMPLE": f"{PACKAGE}:SampleRecord"}}
        add_sample(domctx_dists, SAMPLE.replace("0x1234", str(code)), points=points)
        if found:
            self.one_fault(domctx_cli, "type-code", "0x42 is reserved for Xen", "0x100 to")
        else:
            assert domctx_cli("plugins", "check").status == 0

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('doc="a number", ', "", "Sample.value has no doc"),
            ('    """A sample."""', "", "Sample has no docstring"),
            (
                '    """A sample."""',
                '    """A sample."""\n    def problems(self): raise ZeroDivisionError("mine")',
                "only errors of domctx_core may leave",
            ),
        ],
    )
    def test_a_record_type_that_does_not_conform(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists, old: str, new: str, said: str
    ) -> None:
        assert old in SAMPLE
        add_sample(domctx_dists, SAMPLE.replace(old, new))
        result = domctx_cli("plugins", "check")
        assert result.status == 1
        assert said in result.out
        kinds = {line.split(":")[0].strip() for line in result.out.splitlines()[1:]}
        assert kinds == {"conformance"}

    @pytest.mark.parametrize(
        ("group", "name", "source", "said"),
        [
            ("domctx.formats", "mine", "thing = 7", "is not a Format class"),
            (
                "domctx.formats",
                "mine",
                "from domctx_core import Format\nclass thing(Format):\n    name = 'other'",
                "declares the format mine, but thing is named 'other'",
            ),
            (
                "domctx.formats",
                "mine",
                "from domctx_core import Format\nclass thing(Format):\n    name = 'mine'\n"
                "    def __init__(self): raise ValueError('never')",
                "never",
            ),
            ("domctx.domains", "mine", "thing = 7", "the scheme mine"),
            ("domctx.commands", "mine", "thing = 7", "is not a click command"),
            (
                "domctx.commands",
                "show",
                "import click\n@click.command()\ndef thing(): pass",
                "the verb show belongs to domctx",
            ),
        ],
    )
    def test_what_an_entry_point_gives_has_to_fit_its_group(
        self,
        domctx_cli: CommandRunner,
        domctx_dists: FakeDists,
        group: str,
        name: str,
        source: str,
        said: str,
    ) -> None:
        add_sample(domctx_dists, source, points={group: {name: f"{PACKAGE}:thing"}})
        self.one_fault(domctx_cli, "status", said)

    def test_one_that_is_disabled_is_a_fault_where_it_is_named(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists)
        assert domctx_cli("-p", f"no:{DIST}", "plugins", "check").status == 0
        named = domctx_cli("-p", f"no:{DIST}", "plugins", "check", DIST)
        assert named.status == 1
        assert "is disabled: by -p no:" in named.out

    def test_a_record_type_made_at_run_time_is_checked_too(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        source = SAMPLE + (
            "\nfrom domctx_core import RecordTypeDeclaration\n"
            "class Other(Body):\n    'Another one.'\n    value: int = u32(doc='a number')\n"
            "@hookimpl\ndef domctx_record_types():\n"
            "    made = type('Made', (RecordType,), dict(code=0x2000, name='MADE', body=Other))\n"
            "    return [RecordTypeDeclaration(made())]\n"
        )
        add_sample(domctx_dists, source, points={**POINTS, "domctx.plugins": {"sample": PACKAGE}})
        self.one_fault(domctx_cli, "conformance", "MADE: the record type has no docstring")

    def test_what_a_plugin_prints_is_not_the_answer(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, SAMPLE.replace("    value:", "    print('hello')\n    value:"))
        result = domctx_cli("plugins", "check", "--json")
        assert result.json["faults"] == []
        assert "hello" in result.err

    def test_an_unknown_name(self, domctx_cli: CommandRunner, domctx_dists: FakeDists) -> None:
        add_sample(domctx_dists)
        result = domctx_cli("plugins", "check", "domctx-plugin-smaple")
        assert result.status == 2
        assert "similar names: domctx-plugin-sample" in result.err
