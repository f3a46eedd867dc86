# The images of the benchmarks as Kaitai Struct sees them. domain_context.py is generated from this
# file; README.md says how.
meta:
  id: domain_context
  endian: le
seq:
  - id: records
    type: record
    repeat: until
    repeat-until: _.code == 0
types:
  record:
    seq:
      - id: code
        type: u4
      - id: instance
        type: u4
      - id: len_body
        type: u8
      - id: body
        size: len_body
        type:
          switch-on: code
          cases:
            1: start
            5: channel
            0x80000001: small
            0x80000002: clock
            0x80000003: flag_word
            0x80000004: wide
      - id: padding
        type: u1
        valid: 0
        repeat: expr
        repeat-expr: (8 - len_body % 8) % 8
  start:
    seq:
      - id: major
        type: u4
      - id: minor
        type: u4
  small:
    seq:
      - id: mode
        type: u4
        enum: mode
        valid:
          in-enum: true
      - id: level
        type: u2
        valid:
          max: 1000
      - id: reserved
        contents: [0, 0]
      - id: ticks
        type: u8
  clock:
    seq:
      - id: mode
        type: u4
        enum: mode
        valid:
          in-enum: true
      - id: khz
        type: u4
      - id: nsec
        type: u8
      - id: incarnation
        type: u4
  flag_word:
    seq:
      - id: flags
        type: u4
        valid:
          max: 7
      - id: value
        type: u4
  wide:
    seq:
      - id: a
        type: u8
      - id: b
        type: u8
      - id: c
        type: u8
      - id: d
        type: u8
  channel:
    seq:
      - id: state
        type: u4
        enum: state
        valid:
          in-enum: true
      - id: vcpu
        type: u4
      - id: flags
        type: u4
        valid:
          max: 7
      - id: priority
        type: u1
        valid:
          max: 15
      - id: consumer
        type: u1
        valid:
          max: 5
      - id: reserved
        contents: [0, 0]
      - id: binding
        type:
          switch-on: state
          cases:
            'state::unbound': unbound
            'state::interdomain': interdomain
            'state::pirq': pirq
            'state::virq': virq
            'state::ipi': ipi
  unbound:
    seq:
      - id: domid
        type: u2
      - id: rest
        contents: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  interdomain:
    seq:
      - id: domid
        type: u2
      - id: reserved
        contents: [0, 0]
      - id: port
        type: u4
        valid:
          min: 1
      - id: rest
        contents: [0, 0, 0, 0, 0, 0, 0, 0]
  pirq:
    seq:
      - id: number
        type: u4
      - id: share
        type: u4
        valid:
          max: 1
      - id: rest
        contents: [0, 0, 0, 0, 0, 0, 0, 0]
  virq:
    seq:
      - id: number
        type: u4
        valid:
          max: 23
      - id: rest
        contents: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  ipi:
    seq:
      - id: rest
        contents: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
enums:
  mode:
    0: off_
    1: on_
    2: auto
  state:
    1: unbound
    2: interdomain
    3: pirq
    4: virq
    5: ipi
