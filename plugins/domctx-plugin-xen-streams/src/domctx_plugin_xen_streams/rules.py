"""What may be wrong with the records of a libxl or libxc stream taken together."""

from __future__ import annotations

from domctx_core import Errno, Rule, Severity
from domctx_plugin_xen_streams.config import CONFIG_RULE

__all__ = ["RULES"]

_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE

RULES: tuple[Rule, ...] = (
    Rule(
        CONFIG_RULE,
        _E,
        Errno.EINVAL,
        "the domain's configuration in an xl save file cannot be read",
        "The flags say that the configuration is libxl's JSON, and it is none: a JSON object in"
        " UTF-8, ended by a NUL. `xl restore` knows neither the kind of the guest nor its devices"
        " then, and cannot create it.",
        "Restore with a configuration of your own, `xl restore CONFIG FILE`, which goes before the"
        " file's.",
        "a configuration that was replaced by one in the syntax of xl.cfg",
    ),
    Rule(
        "xen-streams/missing-record",
        _E,
        Errno.ENODATA,
        "a stream ends without a record that it needs",
        "A PV guest needs X86_PV_INFO, X86_PV_P2M_FRAMES and the basic state of vCPU 0, an HVM"
        " guest HVM_CONTEXT, a libxc stream of version 4 DOMAIN_CONTEXT, a libxl stream"
        " LIBXC_CONTEXT. What describes the guest at one moment is needed once per checkpoint. It"
        " is a warning where a receiver takes the stream and the state is lost: HVM_PARAMS, and"
        " before version 4 X86_TSC_INFO and a PV guest's SHARED_INFO.",
        "Save again; a program that edits streams must keep these records.",
        "an HVM stream whose last records are X86_TSC_INFO, HVM_PARAMS, END",
    ),
    Rule(
        "xen-streams/no-page-data",
        _N,
        None,
        "the stream holds no guest memory",
        "There is no PAGE_DATA record at all, so that nothing can be restored from the file, and"
        " rules that concern memory were not judged. Captures are often made so, to keep the"
        " guest's secrets and the file small.",
        "Nothing, if the memory was left out on purpose; otherwise save again.",
        "a capture that was filtered before it was passed on",
    ),
    Rule(
        "xen-streams/duplicate-record",
        _E,
        Errno.EEXIST,
        "a record that may stand once does so a second time",
        "X86_PV_INFO, the CPU policies and STATIC_DATA_END stand once in a libxc stream;"
        " SHARED_INFO, X86_TSC_INFO, HVM_CONTEXT, HVM_PARAMS, DOMAIN_CONTEXT and each kind of state"
        " of a PV vCPU once per checkpoint; LIBXC_CONTEXT once in a libxl stream, and what belongs"
        " to one emulator once per checkpoint. Of two, a receiver refuses the second or keeps the"
        " last without a word: one of them is wrong.",
        "`domctx show --type` prints both; find out which one the saver meant.",
        "two X86_TSC_INFO records before END",
    ),
    Rule(
        "xen-streams/record-order",
        _E,
        Errno.EINVAL,
        "a record comes after one that depends on it",
        "A receiver uses records as they come. For a PV guest X86_PV_INFO comes first, then"
        " X86_PV_P2M_FRAMES, PAGE_DATA, and the state of vCPUs last; for an HVM guest PAGE_DATA"
        " comes before HVM_CONTEXT and HVM_PARAMS; DOMAIN_CONTEXT stands between memory and what"
        " depends on it. The order begins anew after CHECKPOINT. In a libxl stream it is a warning"
        " where LIBXC_CONTEXT is not the first record.",
        "Put the records in order; nothing else needs to change.",
        "X86_PV_VCPU_BASIC before X86_PV_P2M_FRAMES",
    ),
    Rule(
        "xen-streams/params-order",
        _N,
        None,
        "HVM_PARAMS comes after HVM_CONTEXT",
        "The specification puts HVM_PARAMS first, since parameters may decide which register state"
        " is valid. Xen itself saves them the other way round (seen in files of Xen 4.17), and"
        " can: its receiver sets parameters at once, and keeps the context until the stream has"
        " ended. A receiver that does not hold the context back would have to.",
        "Nothing for Xen. A program that reads streams must apply HVM_CONTEXT at the end.",
        "HVM_CONTEXT, HVM_PARAMS, END: the end of any HVM guest's file from Xen 4.17",
    ),
    Rule(
        "xen-streams/static-data-end",
        _E,
        Errno.EINVAL,
        "STATIC_DATA_END is missing or in the wrong place",
        "From version 3 on, STATIC_DATA_END says that all is there which describes the guest and"
        " does not change: X86_PV_INFO and the CPU policies stand before it, memory and all other"
        " state after it. A receiver sets the guest up when it reads the record, and refuses memory"
        " or registers before that. A reader of version 2 has to guess the place.",
        "Insert the record before the first one that is neither X86_PV_INFO nor a CPU policy, or"
        " see whether the stream is really of version 2.",
        "a stream of version 3 that begins with X86_PV_INFO, X86_PV_P2M_FRAMES",
    ),
    Rule(
        "xen-streams/wrong-guest",
        _E,
        Errno.EINVAL,
        "a record belongs to the other kind of guest",
        "The domain header says PV or HVM (PVH guests are HVM here), and each kind has records that"
        " a receiver of the other one does not know, and refuses. The state of emulators belongs"
        " to HVM guests.",
        "If all such records are wrong, the domain header's type may be what is damaged.",
        "X86_PV_INFO in a stream whose domain header says X86_HVM",
    ),
    Rule(
        "xen-streams/wrong-version",
        _E,
        Errno.EINVAL,
        "a record is not part of this version of the libxc stream",
        "STATIC_DATA_END, X86_CPUID_POLICY and X86_MSR_POLICY came with version 3, DOMAIN_CONTEXT"
        " with version 4, where it replaces SHARED_INFO and X86_TSC_INFO: those two are forbidden"
        " from then on, as the same state must not be there twice.",
        "See which version the writer meant; a stream is converted as a whole.",
        "X86_TSC_INFO in a stream of version 4",
    ),
    Rule(
        "xen-streams/refused-record",
        _E,
        Errno.EINVAL,
        "no receiver takes the record",
        "TOOLSTACK was only ever written by early converters, and libxl has records of its own for"
        " what it held. CHECKPOINT_DIRTY_PFN_LIST belongs to the way back, from receiver to"
        " sender.",
        "Convert the file again with a current convert-legacy-stream; a capture of the way back"
        " is no stream to restore from.",
        "CHECKPOINT_DIRTY_PFN_LIST among the records of a saved guest",
    ),
    Rule(
        "xen-streams/legacy-stream",
        _E,
        Errno.EOPNOTSUPP,
        "a legacy stream, which is not decoded",
        "Before Xen 4.6 a stream had neither records nor a version: its parts can only be told by"
        " reading all of it, in the word size of the toolstack that wrote it. It is recognised, by"
        " the flags of an xl header or by its first bytes, and what is in it was not judged.",
        "Rewrite it with convert-legacy-stream, a tool of Xen, and look at the outcome.",
        "an xl save file whose mandatory flags lack STREAM_V2",
    ),
    Rule(
        "xen-streams/big-endian",
        _W,
        Errno.EOPNOTSUPP,
        "the stream is big-endian",
        "The format allows it, and here it is read like any other. Xen's own libraries refuse it:"
        " all machines that they run on are little-endian.",
        "If the writer is your own, let it write in little-endian order.",
        "option bit 0 set in the header",
    ),
    Rule(
        "xen-streams/guest-width",
        _E,
        Errno.EINVAL,
        "a PV guest's width is contradicted",
        "X86_PV_INFO says whether the guest has words of 4 or 8 bytes. Page tables of 3 levels go"
        " with the first, of 4 with the second. So does the layout of SHARED_INFO in the domain"
        " context, whose COMPAT flag means 4, and that of the registers in X86_PV_VCPU_BASIC, 2800"
        " bytes for 4 and 5168 for 8.",
        "Look which of them is wrong; if it is X86_PV_INFO, no other record of the guest can be"
        " understood.",
        "guest_width 8, and a domain context whose SHARED_INFO has the COMPAT flag",
    ),
    Rule(
        "xen-streams/context-version",
        _W,
        None,
        "the domain context is of another Xen than the stream around it",
        "Both name the Xen that saved, START in the domain context and the domain header of the"
        " libxc stream, so they say the same. If not, one of the two was edited or put together"
        " from different saves.",
        "If it was not done on purpose, do not mix parts of different saves.",
        "START of Xen 4.18 in a stream of Xen 4.17",
    ),
)
"""The rules of this distribution's checks."""
