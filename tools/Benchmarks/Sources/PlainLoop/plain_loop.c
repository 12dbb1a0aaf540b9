#include "PlainLoop.h"

#include <lmdb.h>
#include <stdlib.h>
#include <time.h>

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int commit_batch(MDB_env *env, MDB_dbi table, uint64_t first, size_t batch, MDB_val value) {
    MDB_txn *txn;
    int status = mdb_txn_begin(env, NULL, 0, &txn);
    if (status) return status;
    for (uint64_t number = first; number < first + batch; number++) {
        unsigned char bytes[8];
        for (int index = 0; index < 8; index++) bytes[index] = number >> (56 - 8 * index);
        MDB_val key = {8, bytes};
        if ((status = mdb_put(txn, table, &key, &value, MDB_APPEND))) {
            mdb_txn_abort(txn);
            return status;
        }
    }
    return mdb_txn_commit(txn);
}

static int open_table(MDB_env *env, MDB_dbi *table) {
    MDB_txn *txn;
    int status = mdb_txn_begin(env, NULL, 0, &txn);
    if (status) return status;
    if ((status = mdb_dbi_open(txn, "events", MDB_CREATE, table))) {
        mdb_txn_abort(txn);
        return status;
    }
    return mdb_txn_commit(txn);
}

int64_t plain_append_loop(const char *directory, size_t events, size_t batch, size_t size) {
    MDB_env *env;
    MDB_dbi table;
    int status = mdb_env_create(&env);
    if (status) return status < 0 ? status : -status;
    void *content = malloc(size);
    for (size_t index = 0; content && index < size; index++) {
        ((unsigned char *)content)[index] = (unsigned char)(index * 31);
    }
    if ((status = mdb_env_set_mapsize(env, (size_t)1 << 36)) ||
        (status = mdb_env_set_maxdbs(env, 1)) ||
        (status = mdb_env_open(env, directory, MDB_NOTLS, 0600)) ||
        (status = open_table(env, &table))) {
        mdb_env_close(env);
        free(content);
        return status < 0 ? status : -status;
    }
    MDB_val value = {size, content};
    int64_t start = now();
    for (uint64_t first = 1; !status && first <= events; first += batch) {
        status = commit_batch(env, table, first, batch, value);
    }
    int64_t took = now() - start;
    mdb_env_close(env);
    free(content);
    return status ? (status < 0 ? status : -status) : took;
}

const char *plain_loop_version(void) {
    return mdb_version(NULL, NULL, NULL);
}
