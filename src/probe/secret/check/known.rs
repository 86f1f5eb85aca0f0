//! Values and keys that are printed in documentation or shipped to everyone, by their SHA-256.
//!
//! Digests, so that nothing in here is taken for a secret by the next scanner. What follows a rule (an AWS id that ends
//! in `EXAMPLE`) is told where that format is read.

use sha2::{Digest as _, Sha256};

use crate::model::Digest;

/// SHA-256 of the value as it is written.
const VALUES: [&str; 5] = [
    // Azurite and the storage emulator, account devstoreaccount1:
    // learn.microsoft.com/azure/storage/common/storage-connect-azurite
    "0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059",
    // Cosmos DB emulator: learn.microsoft.com/azure/cosmos-db/emulator
    "aa6547439583c3a275d4542a0df6c1ad6a863971be9f2a2220f027cc02aef615",
    // Signatures of jwt.io's tokens, which get pasted behind other payloads, too.
    "051d093c4bdedbf23f905ad01d9c6111414d54e2170e1d7f76657c4e76e3e65b",
    "08831f80b56414a9a76dacd6b428d735b56cbbb222d96efbbc0c18f3e9acaafc",
    // The secret beside AKIA...EXAMPLE in the IAM user guide.
    "78314b11be2e581549ac1c4f616563fad3fdf0c3b71678f6e2299182080e0598",
];

/// SHA-256 of the SubjectPublicKeyInfo.
const PUBLIC_KEYS: [&str; 1] = [
    // Vagrant's insecure key pair: github.com/hashicorp/vagrant, keys/vagrant.pub
    "bde93142b0780b2a66d27977d35f4f542e71cc538d491fe6609e2380b747a027",
];

/// Whether everybody knows this value.
pub(super) fn is_value(value: &[u8]) -> bool {
    VALUES.contains(&Digest::new(Sha256::digest(value).into()).hex().as_str())
}

/// Whether the private half of this key is published.
pub(super) fn is_public_key(key: &Digest) -> bool {
    PUBLIC_KEYS.contains(&key.hex().as_str())
}
