//! Tells by the name of a variable, an option or a field whether a secret stands behind it.

/// Longest name that is looked at.
const NAME_MAX: usize = 128;

/// Words that mean a secret, wherever they stand in a name.
const SECRETS: &str = "password passwd passphrase passcode secret token apikey accesskey secretkey privatekey authkey credential \
    credentials authtoken accesstoken pwd userpass dbpass rootpass smtppass adminpass";

/// Ends of words that mean one: `PGPASSWORD`, `MYSQLPASSWD`, `GHTOKEN`.
const ENDS: &str = "password passwd passphrase secret token apikey accesskey secretkey privatekey";

/// Words that mean one at the end of a name only.
const LAST: &str = "auth pass pw psk pswd pin";

/// What a key has to be for to be a secret.
const KEYS: &str = "api access private secret account storage encryption signing sign master auth app shared deploy ssh session \
    webhook jwt hmac cipher preshared";

/// Words that say at the end of a name that something about the secret stands there, or where it is.
const ABOUT: &str = "file files filename path paths dir directory folder id ids url urls uri uris ttl name names version length \
    len size min max minimum maximum policy policies expiry expires expire expiration endpoint endpoints host \
    hosts hostname type types alg algo algorithm algorithms prefix suffix count limit timeout format header \
    headers field fields label hint placeholder mode method methods enabled enable disabled disable required \
    require regex regexp pattern class provider providers service server role arn ref reference stdin env \
    variable var vars age days seconds hours minutes rotation scope scopes issuer audience message error title \
    column table index encoding encoder reset change location root port user username login email strength \
    parallelism command cmd script helper prompt authentication store manager validity lifetime duration cache";

/// Words that say so anywhere in a name.
const NEVER: &str = "sha sha1 sha224 sha256 sha384 sha512 md5 checksum checksums digest fingerprint public pub pubkey publickey \
    tokenizer tokenizers telemetry authority tokenization";

/// Whether a name says that its value is a secret: `DB_PASSWORD`, `apiToken`, `client-secret`.
///
/// Not `PWD`, which is a directory, and no name that says where a secret is, how long, or of which kind.
pub fn name_says_secret(name: &[u8]) -> bool {
    if name.is_empty() || name.len() > NAME_MAX || name.eq_ignore_ascii_case(b"pwd") {
        return false;
    }
    let words = words(name);
    let words: Vec<&str> = words.iter().map(|word| bare(word)).filter(|word| !word.is_empty()).collect();
    let Some(&last) = words.last() else { return false };
    if has(ABOUT, last) || words.iter().any(|word| has(NEVER, word)) || last == "oldpwd" {
        return false;
    }
    let key = words.windows(2).any(|pair| matches!(pair, [what, "key" | "keys"] if has(KEYS, what)));
    let ends = |word: &str| ENDS.split(' ').any(|end| word.ends_with(end));
    let is_key = |word: &str| word.strip_suffix("key").is_some_and(|what| has(KEYS, what));
    has(LAST, last) || key || words.iter().any(|word| has(SECRETS, word) || ends(word) || is_key(word))
}

/// Whether a word is one of a list.
fn has(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// The words of a name in lower case: parted at signs, and where capitals begin.
fn words(name: &[u8]) -> Vec<String> {
    let mut words = vec![String::new()];
    for (at, &byte) in name.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| name.get(at)).copied().unwrap_or_default();
        let next = name.get(at + 1).copied().unwrap_or_default();
        // `aB` and the last capital of `ABc`.
        let begins = byte.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || before.is_ascii_uppercase() && next.is_ascii_lowercase());
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    words
}

/// A word without the number that tells it from others; names of algorithms keep theirs.
fn bare(word: &str) -> &str {
    if has(NEVER, word) { word } else { word.trim_end_matches(|c: char| c.is_ascii_digit()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_say_so() {
        let names = "PASSWORD DB_PASSWORD dbPassword db.password client-secret PGPASSWORD MYSQL_PWD SSHPASS_PASSWORD \
             API_KEY APIKEY apiKey STRIPE_API_KEY ACCESS_KEY SECRET_KEY AWS_SECRET_ACCESS_KEY PRIVATE_KEY \
             NPM_TOKEN GITHUB_TOKEN accessToken REDISCLI_AUTH CREDENTIALS SECRET_KEY_BASE APP_KEY JWT_SECRET \
             PASSPHRASE password2 TOKEN_1 DB_PASS _authToken _auth AZURE_STORAGE_KEY encryptionKey PasswordHash \
             MYSQL_ROOT_PASSWORD GHTOKEN APIKey";
        for name in names.split(' ') {
            assert!(name_says_secret(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_of_what_is_about_secrets_do_not() {
        let names = "PWD OLDPWD PATH PASSWORD_FILE POSTGRES_PASSWORD_FILE TOKEN_PATH SECRET_DIR AWS_ACCESS_KEY_ID \
             TOKEN_URL token_type TOKEN_TTL SECRET_NAME PASSWORD_MIN_LENGTH PASSWORD_MAX PASSWORD_POLICY \
             TOKEN_EXPIRY TOKEN_ENDPOINT SECRET_VERSION JWT_SECRET_ALGORITHM GPG_KEY GPG_KEYS PUBLIC_KEY \
             SSH_PUBLIC_KEY TOKEN_SHA256 PASSWORD_CHECKSUM KEY_FINGERPRINT TOKENIZERS_PARALLELISM max_tokens \
             NEXT_TELEMETRY_DISABLED SECRET_KEY_REF AUTH_TYPE AUTHOR MONKEY KEYBOARD COMPASS BYPASS \
             password-stdin PasswordAuthentication AUTH_ENABLED PRIMARY_KEY passwordResetUrl authority tokenizer \
             SECRETS_MANAGER KEY";
        for name in names.split(' ').chain([""]) {
            assert!(!name_says_secret(name.as_bytes()), "{name}");
        }
    }
}
