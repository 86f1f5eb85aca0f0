//! Values and keys that are printed in documentation or shipped to everyone, by their SHA-256.
//!
//! Digests, so that nothing in here is taken for a secret by the next scanner. What follows a rule (an AWS id that ends
//! in `EXAMPLE`) is told where that format is read.

use sha2::{Digest as _, Sha256};

use crate::model::Digest;

/// SHA-256 of the value as it is written.
const VALUES: [&str; 13] = [
    // Azurite and the storage emulator, account devstoreaccount1:
    // learn.microsoft.com/azure/storage/common/storage-connect-azurite
    "0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059",
    // Cosmos DB emulator: learn.microsoft.com/azure/cosmos-db/emulator
    "aa6547439583c3a275d4542a0df6c1ad6a863971be9f2a2220f027cc02aef615",
    // Signatures of jwt.io's tokens, which get pasted behind other payloads, too.
    "051d093c4bdedbf23f905ad01d9c6111414d54e2170e1d7f76657c4e76e3e65b",
    "08831f80b56414a9a76dacd6b428d735b56cbbb222d96efbbc0c18f3e9acaafc",
    // Passwords in addresses that the comments of Ruby's uri/generic.rb set, which lies in every image of Ruby, twice.
    "2368563ee3525816eadbdc2d54ab59b81f8f4a0ad2b8171326ce14113b0f5fce",
    "3fc51e5709a10667c3fdd64d976498ebe064949460cc425e47309eee7e59f1ed",
    // The secret beside AKIA...EXAMPLE in the IAM user guide.
    "78314b11be2e581549ac1c4f616563fad3fdf0c3b71678f6e2299182080e0598",
    // Public halves of the keys in RFC 7517 (A.2), RFC 7515 (A.2, A.3) and RFC 8037 (A.1), which libraries test with, and the
    // symmetric key of RFC 7515 (A.1).
    "ea18d2887a18cd14a902b870b8a8286e853deb837e526a43122270b59c0d602e",
    "69da9b8a6e4eb34f340245a2871a540c7cd1dd1f11753d9ca01d51ff1548f9af",
    "f4a383332eb62a39dec7fd189b688cf6c3b4bd58cabd0df75dcc9c9191a81379",
    "78f7ee06fdcf6b232a34eb42aea2aaf15544cf29a738a29182f02510ab842bf0",
    "e3cacd5c2d931295a64f6c3bb3f6ea58c3a9b253b990e32c5abce43c2f94c564",
    "8b1b17a9740c068accab5c3d0d652c8e3cc13206e70bb73b42ea41d4c2de3c12",
];

/// SHA-256 of the SubjectPublicKeyInfo.
const PUBLIC_KEYS: [&str; 12] = [
    // Vagrant's insecure key pair: github.com/hashicorp/vagrant, keys/vagrant.pub
    "bde93142b0780b2a66d27977d35f4f542e71cc538d491fe6609e2380b747a027",
    // Tests and examples in the sources of Go, which every image of its SDK has: src/crypto/tls, src/crypto/x509,
    // src/net/http/internal/testcert, src/net/smtp (Go 1.19).
    "226acd9b52f5731987d46521bbe02fa88045f9eb0c4a262690022d23cbb5eef2",
    "26be8791d8fcde93fbd2bfd2751ef576d65e391e3f7b9d559f3a75998183c044",
    "540101906e8daff636d6cd4b16d3607921383c2aa511eebc4d49f3e58521f320",
    "64eebde4d94a861ca1b062a103ef51d4d8a2c1b0a2133838198230e9c85407ed",
    "76a40ff8b96916f035544e3262130c75dbade42f419b89e8c3445836bc644bf0",
    "bbb3a427090d44d741d44bf7171a179dd4c9a7fdac3a2e649f2f6fa0488aadc9",
    "c7f489851840a675319fc8398596602c3fc8cd941eec70a08724a56e3d118739",
    "ce3aa306f6b578932664a6ef81bead27247efec825737b4b4cf1c5676c099e8f",
    "e156fa5bb9673db29989c7bfd2faedda7df13f221df0a203b5701862a2b85757",
    "e7c98a2e73e33d7de4216988d748b814cded1b9b9b73b7ea83eadfc99a8d827d",
    // Tests of Google's client libraries: github.com/googleapis/google-auth-library-python, tests/data
    "9b445b3d3080b3a8520c7467af119ec40f31f758633d360a6e2e1ed96c164630",
];

/// Whether everybody knows this value, as it is written.
pub fn is_value(value: &[u8]) -> bool {
    VALUES.contains(&Digest::new(Sha256::digest(value).into()).hex().as_str())
}

/// Whether the private half of this key is published.
pub(super) fn is_public_key(key: &Digest) -> bool {
    PUBLIC_KEYS.contains(&key.hex().as_str())
}
