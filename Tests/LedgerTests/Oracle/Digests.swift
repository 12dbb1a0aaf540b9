// DO NOT EDIT: written by tools/generate-oracle.
/// SHA-256 of the schema files that the types beside this were generated from.
let oracleDigests: [String: String] = [
    "syncledger/ledger/v1/entry.proto": "7d58a36b0c24fdb24da329792b1b21bba22873ccf3453591e117ac64065d0278",
    "syncledger/ledger/v1/events.proto": "42df5408690da65f8a10f1da62cc4e0f25a9d113e817e4d80b70bda3f540af01",
]
