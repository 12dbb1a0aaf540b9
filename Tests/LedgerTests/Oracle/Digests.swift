// DO NOT EDIT: written by tools/generate-oracle.
/// SHA-256 of the schema files that the types beside this were generated from.
let oracleDigests: [String: String] = [
    "syncledger/ledger/v1/entry.proto": "7d58a36b0c24fdb24da329792b1b21bba22873ccf3453591e117ac64065d0278",
    "syncledger/ledger/v1/events.proto": "265499679629f97567f481abb6f013ea5b307bf2332952de1e6bd5fb87f01024",
]
