#ifndef SYNCLEDGER_PLAIN_LOOP_H
#define SYNCLEDGER_PLAIN_LOOP_H

#include <stddef.h>
#include <stdint.h>

/// Puts `events` values of `size` bytes under growing 8-byte keys, `batch` a durable commit, into
/// one named table of a new environment in `directory`.
///
/// Returns the nanoseconds it took without opening and closing, or a negative LMDB or errno code.
int64_t plain_append_loop(const char *directory, size_t events, size_t batch, size_t size);

/// The name and version of the liblmdb that is measured.
const char *plain_loop_version(void);

#endif
