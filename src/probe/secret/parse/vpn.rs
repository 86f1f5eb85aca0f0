//! Keys of tunnels: WireGuard and OpenVPN.

use super::{Item, base64, ini::entries, part::Part, whole::structured};
use crate::probe::secret::check;

/// Reads the keys of a WireGuard configuration: thirty-two bytes in base64. Format: wg(8).
pub(super) fn wireguard(file: &[u8]) -> Vec<Item> {
    let item = |entry: super::ini::Entry<'_>| {
        let (section, name) = (entry.section, entry.name);
        let is_key = section.is("interface") && name.is("privatekey") || section.is("peer") && name.is("presharedkey");
        let value = entry.value.unquote();
        let key = base64::decode(value.bytes()).filter(|key| is_key && value.bytes().len() == 44 && key.len() == 32)?;
        let varied = key.windows(2).filter(|pair| pair.first() != pair.last()).count() > 16;
        let real = varied && !check::placeholder(value.bytes());
        real.then(|| Item::new(value.span(), name.text(), value.bytes().to_vec(), structured("")))
    };
    entries(Part::file(file), b"=").filter_map(item).collect()
}

/// Reads the parts of an OpenVPN profile that are written into it.
pub(super) fn openvpn(file: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    let mut rest = Part::file(file);
    while let Some(open) = memchr::memchr(b'<', rest.bytes()) {
        rest = rest.from(open + 1);
        let Some(len) = rest.bytes().iter().take(32).position(|&byte| byte == b'>') else { continue };
        let tag = rest.to(len);
        if !TAGS.iter().any(|known| tag.is(known)) {
            continue;
        }
        let body = rest.from(len + 1);
        let close = [b"</", tag.bytes(), b">"].concat();
        // Without an end it is cut; then nothing further is whole either.
        let Some(end) = memchr::memmem::find(body.bytes(), &close) else { break };
        let inner = body.to(end).trim();
        items.extend(inline(tag, inner));
        rest = body.from(end + close.len());
    }
    items
}

/// What may be written into a profile and is secret.
const TAGS: [&str; 7] = ["key", "tls-auth", "tls-crypt", "tls-crypt-v2", "secret", "pkcs12", "auth-user-pass"];

fn inline(tag: Part<'_>, body: Part<'_>) -> Option<Item> {
    let key = tag.text();
    match key.as_str() {
        "key" => Item::private_key(body.span(), key, body.bytes().to_vec()),
        "pkcs12" => {
            let store = base64::decode(body.bytes())?;
            let verdict = check::pkcs12(&store).into_iter().next()?;
            Some(Item::new(body.span(), key, store, verdict))
        }
        "auth-user-pass" => Item::field(body.lines().nth(1)?.trim(), key),
        _ => {
            let digits = |line: &Part<'_>| line.bytes().len() == 32 && line.bytes().iter().all(u8::is_ascii_hexdigit);
            let is_static = body.find("-----begin openvpn static key").is_some()
                && body.lines().filter(|line| digits(&line.trim())).count() >= 4;
            let is_client = body.find("-----begin openvpn tls-crypt-v2").is_some();
            let text = check::placeholder(body.bytes());
            (!text && (is_static || is_client))
                .then(|| Item::new(body.span(), key, body.bytes().to_vec(), structured("OpenVPN static key")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser, base64,
        testing::{accept, found, places, secret},
    };
    use crate::catalogue::sample::make as testing;

    #[test]
    fn keys_of_wireguard_have_thirty_two_bytes() {
        let key =
            |no: u8| base64::encode(&(0..32).map(|at: u8| at.wrapping_mul(71).wrapping_add(no)).collect::<Vec<_>>());
        let file = format!(
            "[Interface]\nAddress = 10.0.0.1/24\nPrivateKey = {}\n# PrivateKey = {}\n[Peer]\nPublicKey = {}\nPresharedKey={}\n",
            key(1),
            key(2),
            key(3),
            key(4)
        );
        assert_eq!(
            accept(Parser::Wireguard, &file),
            [format!("PrivateKey={}", key(1)), format!("PresharedKey={}", key(4))]
        );
        for value in ["<key>", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "", "YWJj"] {
            assert_eq!(found(Parser::Wireguard, &format!("[Interface]\nPrivateKey = {value}\n")), [""; 0], "{value}");
        }
    }

    #[test]
    fn profiles_have_keys_and_passwords_in_them() {
        let lines: String = (0..16_u32)
            .map(|no| format!("{:032x}\n", u128::from(no + 3).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834)))
            .collect();
        let file = format!(
            "client\n<ca>\nx\n</ca>\n<tls-auth>\n-----BEGIN OpenVPN Static key V1-----\n{lines}-----END OpenVPN Static key V1-----\n</tls-auth>\n\
             <auth-user-pass>\nme\n{}\n</auth-user-pass>\n<key>\nnone\n</key>\n",
            secret(1)
        );
        // Line ends are a part of the key.
        let keys = found(Parser::Openvpn, &file);
        assert!(keys[0].starts_with("tls-auth="));
        assert_eq!(keys[1], format!("auth-user-pass={}", secret(1)));
        assert_eq!(found(Parser::Openvpn, &file.replace('\n', "\r\n"))[1], keys[1]);
        assert_eq!(places(Parser::Openvpn, &file)[1], secret(1));
        let pem = testing::pem("PRIVATE", &testing::ed25519(&mut testing::Rng::new(1)));
        assert_eq!(found(Parser::Openvpn, &format!("<key>\n{pem}</key>\n")), [format!("key={}", pem.trim())]);
        assert_eq!(found(Parser::Openvpn, "<tls-auth>\nta.key\n</tls-auth>\n<key>"), [""; 0]);
    }
}
