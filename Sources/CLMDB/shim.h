#ifndef SYNCLEDGER_CLMDB_SHIM_H
#define SYNCLEDGER_CLMDB_SHIM_H

#include <lmdb.h>

/* statfs is not part of Swift's Glibc module map. */
#include <sys/statfs.h>

#include <sys/prctl.h>

/* prctl is variadic, which Swift cannot call. */
static inline int syncledger_name_current_thread(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0);
}

#endif
