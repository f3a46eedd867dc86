/*
 * The floor: how fast the format can be read and written in C, the way a hypervisor would: a table
 * of handlers, each called for its type, which takes its body through an operation that copies and
 * counts, and puts the fields where they are to be.
 *
 *     floor load FILE      from memory; checks framing, lengths, padding, ranges, order
 *     floor save RECORDS   the uniform image, into memory, one handler call a record
 *     floor large FILE|-   records of any size through one buffer
 *
 * Prints nanoseconds (of the processor for `load` and `save`), records, bytes, and the sums of instances and fields. Little-endian hosts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct header {
    uint32_t type, instance;
    uint64_t length;
};

struct ops {
    int (*read)(void *priv, void *to, size_t size);
    int (*append)(void *priv, const void *from, size_t size);
};

struct context {
    const struct ops *ops;
    void *priv;
    struct header header;
    uint64_t consumed;
    size_t patch;
};

struct memory {
    uint8_t *data;
    size_t at, size;
};

static uint64_t records, instances, fields;

static int memory_read(void *priv, void *to, size_t size)
{
    struct memory *memory = priv;

    if (size > memory->size - memory->at)
        return -ENODATA;
    memcpy(to, memory->data + memory->at, size);
    memory->at += size;
    return 0;
}

static int memory_append(void *priv, const void *from, size_t size)
{
    struct memory *memory = priv;

    if (size > memory->size - memory->at)
        return -ENOSPC;
    memcpy(memory->data + memory->at, from, size);
    memory->at += size;
    return 0;
}

static const struct ops memory_ops = { memory_read, memory_append };

/* ---------------------------------------------------------------------------------------- load */

static int load_data(struct context *c, void *to, size_t size)
{
    if (size > c->header.length - c->consumed)
        return -ENODATA;
    c->consumed += size;
    return c->ops->read(c->priv, to, size);
}

static int load_end(struct context *c)
{
    size_t left = -c->header.length & 7;
    uint8_t byte;
    int rc;

    if (c->consumed != c->header.length)
        return -EINVAL;
    while (left--) {
        if ((rc = c->ops->read(c->priv, &byte, 1)))
            return rc;
        if (byte)
            return -EINVAL;
    }
    return 0;
}

#define ORDERED(c)                                  \
    do {                                            \
        static int64_t last = -1;                   \
        if ((int64_t)(c)->header.instance <= last)  \
            return -EEXIST;                         \
        last = (c)->header.instance;                \
    } while (0)

struct small {
    uint32_t mode;
    uint16_t level, zero;
    uint64_t ticks;
};

static struct small *smalls;
static size_t nr_smalls, max_smalls;

static int load_small(struct context *c)
{
    struct small s;
    int rc = load_data(c, &s, 16);

    if (rc)
        return rc;
    if (s.mode > 2 || s.level > 1000 || s.zero)
        return -EINVAL;
    ORDERED(c);
    if (nr_smalls < max_smalls)
        smalls[nr_smalls++] = s;
    fields += s.mode + s.level + s.ticks;
    return 0;
}

static int load_clock(struct context *c)
{
    struct { uint32_t mode, khz; uint64_t nsec; uint32_t incarnation; } b;
    int rc = load_data(c, &b, 20);

    if (rc)
        return rc;
    if (b.mode > 2)
        return -EINVAL;
    ORDERED(c);
    fields += (uint64_t)b.mode + b.khz + b.nsec + b.incarnation;
    return 0;
}

static int load_flags(struct context *c)
{
    struct { uint32_t flags, value; } b;
    int rc = load_data(c, &b, 8);

    if (rc)
        return rc;
    if (b.flags > 7)
        return -EINVAL;
    ORDERED(c);
    fields += (uint64_t)b.flags + b.value;
    return 0;
}

static int load_wide(struct context *c)
{
    uint64_t b[4];
    int rc = load_data(c, b, 32);

    if (rc)
        return rc;
    ORDERED(c);
    fields += b[0] + b[1] + b[2] + b[3];
    return 0;
}

static int load_channel(struct context *c)
{
    struct {
        uint32_t state, vcpu, flags;
        uint8_t priority, consumer;
        uint16_t zero;
        union {
            uint8_t raw[16];
            uint32_t word[4];
            struct { uint16_t domid, gap; uint32_t port; } peer;
        } u;
    } b;
    unsigned int used = 0, i;
    int rc = load_data(c, &b, 32);

    if (rc)
        return rc;
    if (b.flags > 7 || b.priority > 15 || b.consumer > 5 || b.zero ||
        (b.consumer && !(b.flags & 4)))
        return -EINVAL;
    ORDERED(c);
    fields += (uint64_t)b.state + b.vcpu + b.flags + b.priority + b.consumer;
    switch (b.state) {
    case 1:
        fields += b.u.peer.domid;
        used = 2;
        break;
    case 2:
        if (b.u.peer.gap || !b.u.peer.port)
            return -EINVAL;
        fields += (uint64_t)b.u.peer.domid + b.u.peer.port;
        used = 8;
        break;
    case 3:
        if (b.u.word[1] > 1)
            return -EINVAL;
        fields += (uint64_t)b.u.word[0] + b.u.word[1];
        used = 8;
        break;
    case 4:
        if (b.u.word[0] > 23)
            return -EINVAL;
        fields += b.u.word[0];
        used = 4;
        break;
    case 5:
        break;
    default:
        return -EINVAL;
    }
    for (i = used; i < 16; i++)
        if (b.u.raw[i])
            return -EINVAL;
    return 0;
}

static int load_abi(struct context *c)
{
    uint64_t word;
    int rc = 0;

    while (!rc && c->consumed < c->header.length)
        rc = load_data(c, &word, 8);
    return rc;
}

static int (*const by_code[])(struct context *) = { [4] = load_abi, [5] = load_channel };
static int (*const private[])(struct context *) = {
    NULL, load_small, load_clock, load_flags, load_wide,
};

static int load(struct memory *memory)
{
    struct context c = { .ops = &memory_ops, .priv = memory };
    int (*handler)(struct context *);
    uint32_t type;
    uint64_t version;
    int rc;

    if ((rc = c.ops->read(c.priv, &c.header, 16)))
        return rc;
    if (c.header.type != 1 || c.header.length != 8)
        return -EINVAL;
    if ((rc = c.ops->read(c.priv, &version, 8)))
        return rc;
    for (;;) {
        if ((rc = c.ops->read(c.priv, &c.header, 16)))
            return rc;
        type = c.header.type;
        if (type == 0)
            return c.header.length ? -EINVAL : 0;
        handler = NULL;
        if (type < sizeof(by_code) / sizeof(by_code[0]))
            handler = by_code[type];
        else if ((type & 0x7fffffff) < sizeof(private) / sizeof(private[0]))
            handler = private[type & 0x7fffffff];
        if (!handler)
            return -EINVAL;
        c.consumed = 0;
        if ((rc = handler(&c)) || (rc = load_end(&c)))
            return rc;
        records++;
        instances += c.header.instance;
    }
}

/* ---------------------------------------------------------------------------------------- save */

static int save_begin(struct context *c, uint32_t type, uint32_t instance)
{
    struct memory *memory = c->priv;

    c->header = (struct header){ type, instance, 0 };
    c->patch = memory->at;
    return c->ops->append(c->priv, &c->header, 16);
}

static int save_data(struct context *c, const void *from, size_t size)
{
    c->header.length += size;
    return c->ops->append(c->priv, from, size);
}

static int save_end(struct context *c)
{
    static const uint8_t zero[8];
    struct memory *memory = c->priv;
    size_t padding = -c->header.length & 7;
    int rc = padding ? c->ops->append(c->priv, zero, padding) : 0;

    memcpy(memory->data + c->patch, &c->header, 16);
    return rc;
}

static int save(struct memory *memory, size_t count)
{
    struct context c = { .ops = &memory_ops, .priv = memory };
    uint32_t version[2] = { 4, 17 };
    size_t i;
    int rc;

    if ((rc = save_begin(&c, 1, 0)) || (rc = save_data(&c, version, 8)) || (rc = save_end(&c)))
        return rc;
    for (i = 0; i < count; i++)
        if ((rc = save_begin(&c, 0x80000001, i)) || (rc = save_data(&c, &smalls[i], 16)) ||
            (rc = save_end(&c)))
            return rc;
    if ((rc = save_begin(&c, 0, 0)))
        return rc;
    return save_end(&c);
}

/* --------------------------------------------------------------------------------------- large */

static int exactly(int fd, uint8_t *to, size_t size)
{
    while (size) {
        ssize_t got = read(fd, to, size);

        if (got <= 0)
            return got ? -errno : -ENODATA;
        to += got;
        size -= got;
    }
    return 0;
}

static int large(int fd, size_t *total)
{
    static uint8_t buffer[1 << 20];
    struct header header;
    uint8_t pad[8];
    unsigned int i;
    int rc;

    for (*total = 0;;) {
        uint64_t left;

        if ((rc = exactly(fd, (uint8_t *)&header, 16)))
            return rc;
        for (left = header.length; left;) {
            size_t size = left < sizeof(buffer) ? left : sizeof(buffer);

            if ((rc = exactly(fd, buffer, size)))
                return rc;
            left -= size;
        }
        if ((rc = exactly(fd, pad, -header.length & 7)))
            return rc;
        for (i = 0; i < (-header.length & 7); i++)
            if (pad[i])
                return -EINVAL;
        *total += 16 + header.length + (-header.length & 7);
        if (header.type == 0)
            return 0;
        if (header.type != 1) {
            records++;
            instances += header.instance;
        }
    }
}

/* ---------------------------------------------------------------------------------------- main */

static uint64_t now(int cpu)
{
    struct timespec t;

    clock_gettime(cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

int main(int argc, char **argv)
{
    struct memory memory = { 0 };
    uint64_t begun = 0, ended = 0;
    size_t bytes = 0, i;
    int fd, rc = -EINVAL;

    if (argc == 3 && !strcmp(argv[1], "large")) {
        fd = strcmp(argv[2], "-") ? open(argv[2], O_RDONLY) : 0;
        begun = now(0);
        rc = fd < 0 ? -errno : large(fd, &bytes);
        ended = now(0);
    } else if (argc == 3 && !strcmp(argv[1], "load")) {
        struct stat st;

        fd = open(argv[2], O_RDONLY);
        if (fd < 0 || fstat(fd, &st) || !(memory.data = malloc(st.st_size)) ||
            exactly(fd, memory.data, st.st_size))
            return 1;
        memory.size = st.st_size;
        max_smalls = st.st_size / 32;
        smalls = malloc(max_smalls * sizeof(*smalls));
        memset(smalls, 0, max_smalls * sizeof(*smalls));
        begun = now(1);
        rc = load(&memory);
        ended = now(1);
        bytes = memory.at;
    } else if (argc == 3 && !strcmp(argv[1], "save")) {
        max_smalls = strtoul(argv[2], NULL, 0);
        smalls = malloc(max_smalls * sizeof(*smalls));
        for (i = 0; i < max_smalls; i++)
            smalls[i] = (struct small){ i % 3, i % 1001, 0, i * 1000003 };
        memory.size = 40 + 32 * max_smalls;
        memory.data = malloc(memory.size);
        memset(memory.data, 0, memory.size);
        begun = now(1);
        rc = save(&memory, max_smalls);
        ended = now(1);
        bytes = memory.at;
        if (!rc) { /* what was written must load */
            memory.at = nr_smalls = 0;
            rc = load(&memory);
        }
    }
    if (rc) {
        fprintf(stderr, "floor: error %d at %zu\n", -rc, memory.at);
        return 1;
    }
    printf("%llu %llu %zu %llu %llu\n", (unsigned long long)(ended - begun),
           (unsigned long long)records, bytes, (unsigned long long)instances,
           (unsigned long long)fields);
    return 0;
}
