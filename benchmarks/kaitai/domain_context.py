# This is a generated file! Please edit source .ksy file and use kaitai-struct-compiler to rebuild
# type: ignore

import kaitaistruct
from kaitaistruct import KaitaiStruct, KaitaiStream, BytesIO
from enum import IntEnum


if getattr(kaitaistruct, 'API_VERSION', (0, 9)) < (0, 11):
    raise Exception("Incompatible Kaitai Struct Python API: 0.11 or later is required, but you have %s" % (kaitaistruct.__version__))

class DomainContext(KaitaiStruct):

    class Mode(IntEnum):
        off_ = 0
        on_ = 1
        auto = 2

    class State(IntEnum):
        unbound = 1
        interdomain = 2
        pirq = 3
        virq = 4
        ipi = 5
    def __init__(self, _io, _parent=None, _root=None):
        super(DomainContext, self).__init__(_io)
        self._parent = _parent
        self._root = _root or self
        self._read()

    def _read(self):
        self.records = []
        i = 0
        while True:
            _ = DomainContext.Record(self._io, self, self._root)
            self.records.append(_)
            if _.code == 0:
                break
            i += 1


    def _fetch_instances(self):
        pass
        for i in range(len(self.records)):
            pass
            self.records[i]._fetch_instances()


    class Channel(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Channel, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.state = KaitaiStream.resolve_enum(DomainContext.State, self._io.read_u4le())
            if not isinstance(self.state, DomainContext.State):
                raise kaitaistruct.ValidationNotInEnumError(self.state, self._io, u"/types/channel/seq/0")
            self.vcpu = self._io.read_u4le()
            self.flags = self._io.read_u4le()
            if not self.flags <= 7:
                raise kaitaistruct.ValidationGreaterThanError(7, self.flags, self._io, u"/types/channel/seq/2")
            self.priority = self._io.read_u1()
            if not self.priority <= 15:
                raise kaitaistruct.ValidationGreaterThanError(15, self.priority, self._io, u"/types/channel/seq/3")
            self.consumer = self._io.read_u1()
            if not self.consumer <= 5:
                raise kaitaistruct.ValidationGreaterThanError(5, self.consumer, self._io, u"/types/channel/seq/4")
            self.reserved = self._io.read_bytes(2)
            if not self.reserved == b"\x00\x00":
                raise kaitaistruct.ValidationNotEqualError(b"\x00\x00", self.reserved, self._io, u"/types/channel/seq/5")
            _on = self.state
            if _on == DomainContext.State.interdomain:
                pass
                self.binding = DomainContext.Interdomain(self._io, self, self._root)
            elif _on == DomainContext.State.ipi:
                pass
                self.binding = DomainContext.Ipi(self._io, self, self._root)
            elif _on == DomainContext.State.pirq:
                pass
                self.binding = DomainContext.Pirq(self._io, self, self._root)
            elif _on == DomainContext.State.unbound:
                pass
                self.binding = DomainContext.Unbound(self._io, self, self._root)
            elif _on == DomainContext.State.virq:
                pass
                self.binding = DomainContext.Virq(self._io, self, self._root)


        def _fetch_instances(self):
            pass
            _on = self.state
            if _on == DomainContext.State.interdomain:
                pass
                self.binding._fetch_instances()
            elif _on == DomainContext.State.ipi:
                pass
                self.binding._fetch_instances()
            elif _on == DomainContext.State.pirq:
                pass
                self.binding._fetch_instances()
            elif _on == DomainContext.State.unbound:
                pass
                self.binding._fetch_instances()
            elif _on == DomainContext.State.virq:
                pass
                self.binding._fetch_instances()


    class Clock(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Clock, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.mode = KaitaiStream.resolve_enum(DomainContext.Mode, self._io.read_u4le())
            if not isinstance(self.mode, DomainContext.Mode):
                raise kaitaistruct.ValidationNotInEnumError(self.mode, self._io, u"/types/clock/seq/0")
            self.khz = self._io.read_u4le()
            self.nsec = self._io.read_u8le()
            self.incarnation = self._io.read_u4le()


        def _fetch_instances(self):
            pass


    class FlagWord(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.FlagWord, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.flags = self._io.read_u4le()
            if not self.flags <= 7:
                raise kaitaistruct.ValidationGreaterThanError(7, self.flags, self._io, u"/types/flag_word/seq/0")
            self.value = self._io.read_u4le()


        def _fetch_instances(self):
            pass


    class Interdomain(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Interdomain, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.domid = self._io.read_u2le()
            self.reserved = self._io.read_bytes(2)
            if not self.reserved == b"\x00\x00":
                raise kaitaistruct.ValidationNotEqualError(b"\x00\x00", self.reserved, self._io, u"/types/interdomain/seq/1")
            self.port = self._io.read_u4le()
            if not self.port >= 1:
                raise kaitaistruct.ValidationLessThanError(1, self.port, self._io, u"/types/interdomain/seq/2")
            self.rest = self._io.read_bytes(8)
            if not self.rest == b"\x00\x00\x00\x00\x00\x00\x00\x00":
                raise kaitaistruct.ValidationNotEqualError(b"\x00\x00\x00\x00\x00\x00\x00\x00", self.rest, self._io, u"/types/interdomain/seq/3")


        def _fetch_instances(self):
            pass


    class Ipi(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Ipi, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.rest = self._io.read_bytes(16)
            if not self.rest == b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00":
                raise kaitaistruct.ValidationNotEqualError(b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", self.rest, self._io, u"/types/ipi/seq/0")


        def _fetch_instances(self):
            pass


    class Pirq(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Pirq, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.number = self._io.read_u4le()
            self.share = self._io.read_u4le()
            if not self.share <= 1:
                raise kaitaistruct.ValidationGreaterThanError(1, self.share, self._io, u"/types/pirq/seq/1")
            self.rest = self._io.read_bytes(8)
            if not self.rest == b"\x00\x00\x00\x00\x00\x00\x00\x00":
                raise kaitaistruct.ValidationNotEqualError(b"\x00\x00\x00\x00\x00\x00\x00\x00", self.rest, self._io, u"/types/pirq/seq/2")


        def _fetch_instances(self):
            pass


    class Record(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Record, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.code = self._io.read_u4le()
            self.instance = self._io.read_u4le()
            self.len_body = self._io.read_u8le()
            _on = self.code
            if _on == 1:
                pass
                self._raw_body = self._io.read_bytes(self.len_body)
                _io__raw_body = KaitaiStream(BytesIO(self._raw_body))
                self.body = DomainContext.Start(_io__raw_body, self, self._root)
            elif _on == 2147483649:
                pass
                self._raw_body = self._io.read_bytes(self.len_body)
                _io__raw_body = KaitaiStream(BytesIO(self._raw_body))
                self.body = DomainContext.Small(_io__raw_body, self, self._root)
            elif _on == 2147483650:
                pass
                self._raw_body = self._io.read_bytes(self.len_body)
                _io__raw_body = KaitaiStream(BytesIO(self._raw_body))
                self.body = DomainContext.Clock(_io__raw_body, self, self._root)
            elif _on == 2147483651:
                pass
                self._raw_body = self._io.read_bytes(self.len_body)
                _io__raw_body = KaitaiStream(BytesIO(self._raw_body))
                self.body = DomainContext.FlagWord(_io__raw_body, self, self._root)
            elif _on == 2147483652:
                pass
                self._raw_body = self._io.read_bytes(self.len_body)
                _io__raw_body = KaitaiStream(BytesIO(self._raw_body))
                self.body = DomainContext.Wide(_io__raw_body, self, self._root)
            elif _on == 5:
                pass
                self._raw_body = self._io.read_bytes(self.len_body)
                _io__raw_body = KaitaiStream(BytesIO(self._raw_body))
                self.body = DomainContext.Channel(_io__raw_body, self, self._root)
            else:
                pass
                self.body = self._io.read_bytes(self.len_body)
            self.padding = []
            for i in range((8 - self.len_body % 8) % 8):
                self.padding.append(self._io.read_u1())
                if not self.padding[i] == 0:
                    raise kaitaistruct.ValidationNotEqualError(0, self.padding[i], self._io, u"/types/record/seq/4")



        def _fetch_instances(self):
            pass
            _on = self.code
            if _on == 1:
                pass
                self.body._fetch_instances()
            elif _on == 2147483649:
                pass
                self.body._fetch_instances()
            elif _on == 2147483650:
                pass
                self.body._fetch_instances()
            elif _on == 2147483651:
                pass
                self.body._fetch_instances()
            elif _on == 2147483652:
                pass
                self.body._fetch_instances()
            elif _on == 5:
                pass
                self.body._fetch_instances()
            else:
                pass
            for i in range(len(self.padding)):
                pass



    class Small(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Small, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.mode = KaitaiStream.resolve_enum(DomainContext.Mode, self._io.read_u4le())
            if not isinstance(self.mode, DomainContext.Mode):
                raise kaitaistruct.ValidationNotInEnumError(self.mode, self._io, u"/types/small/seq/0")
            self.level = self._io.read_u2le()
            if not self.level <= 1000:
                raise kaitaistruct.ValidationGreaterThanError(1000, self.level, self._io, u"/types/small/seq/1")
            self.reserved = self._io.read_bytes(2)
            if not self.reserved == b"\x00\x00":
                raise kaitaistruct.ValidationNotEqualError(b"\x00\x00", self.reserved, self._io, u"/types/small/seq/2")
            self.ticks = self._io.read_u8le()


        def _fetch_instances(self):
            pass


    class Start(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Start, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.major = self._io.read_u4le()
            self.minor = self._io.read_u4le()


        def _fetch_instances(self):
            pass


    class Unbound(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Unbound, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.domid = self._io.read_u2le()
            self.rest = self._io.read_bytes(14)
            if not self.rest == b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00":
                raise kaitaistruct.ValidationNotEqualError(b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", self.rest, self._io, u"/types/unbound/seq/1")


        def _fetch_instances(self):
            pass


    class Virq(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Virq, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.number = self._io.read_u4le()
            if not self.number <= 23:
                raise kaitaistruct.ValidationGreaterThanError(23, self.number, self._io, u"/types/virq/seq/0")
            self.rest = self._io.read_bytes(12)
            if not self.rest == b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00":
                raise kaitaistruct.ValidationNotEqualError(b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", self.rest, self._io, u"/types/virq/seq/1")


        def _fetch_instances(self):
            pass


    class Wide(KaitaiStruct):
        def __init__(self, _io, _parent=None, _root=None):
            super(DomainContext.Wide, self).__init__(_io)
            self._parent = _parent
            self._root = _root
            self._read()

        def _read(self):
            self.a = self._io.read_u8le()
            self.b = self._io.read_u8le()
            self.c = self._io.read_u8le()
            self.d = self._io.read_u8le()


        def _fetch_instances(self):
            pass



