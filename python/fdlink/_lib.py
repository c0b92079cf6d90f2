# SPDX-License-Identifier: Apache-2.0
"""The library: what of include/fdlink is used here, and its errors."""

import logging
import os
import threading
from typing import Any, Callable, List, Optional

import cffi

#: a pointer, or another value of C's, which cffi has no types for
CData = Any

ffi = cffi.FFI()
ffi.cdef('''
struct fdl_endpoint;
struct fdl_queue;
struct fdl_store;

struct fdl_options {
    size_t size;
    uint32_t mtu;
    uint32_t flags;
    int mode;
    int tx_offload;
    uint8_t address[6];
    uint32_t batch;
    uint32_t pool;
    uint32_t ring_bytes;
    uint32_t ring_timeout_ms;
    uint32_t headroom;
    uint32_t gso_max_size;
    uint32_t tx_wait_ms;
    uint32_t max_syscall_header_bytes;
    void (*log)(void *ctx, int level, const char *msg);
    void *log_ctx;
    int fanout;
    const void *fanout_program;
    int (*reopen)(void *ctx, bool existing, int fds[], unsigned n);
    void *reopen_ctx;
};

struct fdl_offload {
    uint8_t csum;
    uint8_t gso;
    union {
        uint8_t ecn;
        uint8_t ecn_tunnel_[2];
    };
    uint16_t gso_size;
    uint16_t hdr_len;
    uint16_t csum_start;
    uint16_t csum_offset;
};

struct fdl_packet {
    uint8_t *data;
    uint32_t len;
    uint32_t room;
    uint32_t tail;
    uint16_t protocol;
    uint8_t link_len;
    uint8_t type;
    uint32_t hash;
    struct fdl_offload off;
    uint64_t tstamp_ns;
    void *user;
    struct fdl_store *store_;
};

struct fdl_link {
    bool up;
    bool carrier;
    uint8_t address[6];
    uint32_t mtu;
    char name[16];
    uint64_t changes;
};

struct iovec {
    void *iov_base;
    size_t iov_len;
};

const char *fdl_version(void);
const char *fdl_mode_name(int mode);
int fdl_open(struct fdl_endpoint **ep, const char *locator,
             const struct fdl_options *opts);
int fdl_endpoint_new(struct fdl_endpoint **ep, const int *fds, unsigned nfds,
                     const struct fdl_options *opts);
int fdl_endpoint_free(struct fdl_endpoint *ep);
unsigned fdl_queues(const struct fdl_endpoint *ep);
struct fdl_queue *fdl_get_queue(struct fdl_endpoint *ep, unsigned i);
uint32_t fdl_mtu(const struct fdl_endpoint *ep);
uint16_t fdl_arp_hardware(const struct fdl_endpoint *ep);
int fdl_get_mode(const struct fdl_endpoint *ep);
const char *fdl_last_error(const struct fdl_endpoint *ep);
int fdl_fd(const struct fdl_endpoint *ep);
int fdl_recv(struct fdl_queue *q, struct fdl_packet *v[], int n);
void fdl_release(struct fdl_packet *v[], int n);
int fdl_alloc(struct fdl_queue *q, struct fdl_packet *v[], int n);
int fdl_send(struct fdl_queue *q, struct fdl_packet *v[], int n);
int fdl_write(struct fdl_queue *q, const struct iovec *iov, int cnt,
              const struct fdl_offload *off);
int fdl_write_frames(struct fdl_queue *q, const struct iovec *frames, int n);
int fdl_want_write(struct fdl_queue *q, bool on);
int fdl_flush(struct fdl_queue *q);
int fdl_link_state(struct fdl_endpoint *ep, struct fdl_link *link, size_t size);
int fdl_get_stats(const struct fdl_endpoint *ep, void *stats, size_t size);
const char *fdl_stats_name(unsigned i);
uint64_t fdl_stats_value(const void *stats, unsigned i);
''')

SONAME = 'libfdlink.so.0.1'
VERSION = '0.1.'
LOG_ERR = 3

log = logging.getLogger('fdlink')
_said = threading.local()


def _load() -> Any:
    try:
        loaded = ffi.dlopen(SONAME)
    except OSError as err:
        raise ImportError('%s cannot be loaded (%s): install fdlink, or name '
                          'its directory in LD_LIBRARY_PATH' %
                          (SONAME, err)) from None
    version = ffi.string(loaded.fdl_version()).decode()
    if not version.startswith(VERSION):
        raise ImportError('the fdlink library is version %s, and this module '
                          'is for %sx: install the module of that version' %
                          (version, VERSION))
    return loaded


lib = _load()


def _log_it(_ctx: CData, level: int, msg: CData) -> None:
    text = ffi.string(msg).decode(errors='replace')
    if level <= LOG_ERR:
        # An endpoint that is made already has fdl_last_error().
        errors: Optional[List[str]] = getattr(_said, 'errors', None)
        if errors is not None:
            errors.append(text)
    else:
        log.log(logging.WARNING if level <= 4 else logging.INFO, '%s', text)


_on_log = ffi.callback('void(void *, int, const char *)', _log_it)


def options(**fields: int) -> CData:
    """struct fdl_options with these fields. TypeError or OverflowError: one of
    them is none, or takes no such value."""
    opts = ffi.new('struct fdl_options *')
    for name, value in fields.items():
        try:
            setattr(opts, name, value)
        except AttributeError:
            raise TypeError('%s is no option: see fdl_endpoint_new(3)' %
                            name) from None
        except (TypeError, OverflowError) as err:
            raise type(err)('option %s=%r: %s' % (name, value, err)) from None
    # What this declaration knows, which the library may know more than.
    opts.size = ffi.sizeof('struct fdl_options')
    opts.log = _on_log
    return opts


def make(call: Callable[..., int], *args: CData) -> CData:
    """An endpoint by fdl_open or fdl_endpoint_new, or OSError with what the
    log said."""
    out = ffi.new('struct fdl_endpoint **')
    errors: List[str] = []
    _said.errors = errors
    err = call(out, *args)
    _said.errors = None
    if err < 0:
        raise OSError(-err, '\n'.join(errors) or os.strerror(-err))
    return out[0]


def error(ep: CData, err: int) -> OSError:
    """The OSError for what a call on ep returned."""
    said = ffi.string(lib.fdl_last_error(ep)).decode(errors='replace')
    return OSError(-err, said or os.strerror(-err))
