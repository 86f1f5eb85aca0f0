//! Reads which places the settings of a web server name: nginx, Apache, Caddy, lighttpd.
//!
//! Every absolute path is one, since a place that is named for nothing costs little. Where a directive that says what is
//! served has a variable, it may be any.

use crate::model::{ImagePath, path};

/// Directories in which web servers have their settings.
const DIRS: [&[u8]; 8] = [
    b"etc/apache2",
    b"etc/caddy",
    b"etc/httpd",
    b"etc/lighttpd",
    b"etc/nginx",
    b"usr/local/apache2/conf",
    b"usr/local/etc/nginx",
    b"usr/local/nginx/conf",
];

/// How the names of such files begin and end, wherever they lie.
const NAMES: [(&[u8], &[u8]); 8] = [
    (b"Caddyfile", b""),
    (b"apache", b".conf"),
    (b"default", b".conf"),
    (b"default", b".conf.template"),
    (b"httpd", b".conf"),
    (b"lighttpd", b".conf"),
    (b"nginx", b".conf"),
    (b"nginx", b".conf.template"),
];

/// Directives that say what is served, in lower case.
const ROOTS: [&[u8]; 4] = [b"alias", b"documentroot", b"root", b"server.document-root"];

/// Places of one file that are kept; real files have some ten.
const PLACES_MAX: usize = 1000;

/// Whether the file at a path may hold the settings of a web server.
pub fn is_settings(name: &[u8]) -> bool {
    let last = path::name(name);
    let fits = |(begin, end): &(&[u8], &[u8])| {
        last.len() >= begin.len() + end.len() && last.starts_with(begin) && last.ends_with(end)
    };
    DIRS.iter().any(|dir| path::is_below(name, dir)) || NAMES.iter().any(fits)
}

/// The places that it names, sorted; the empty one stands for all.
///
/// Sources: `ngx_conf_read_token` of nginx, `ap_getword_conf` of Apache: words stand apart by blanks and may be quoted.
pub fn places(body: &[u8]) -> Vec<ImagePath> {
    let mut found: Vec<ImagePath> = Vec::new();
    for line in body.split(|byte| b"\n\r;{}".contains(byte)) {
        let words = line.split(|byte| b" \t\"'<>=".contains(byte)).filter(|word| !word.is_empty());
        let mut words = words.take_while(|word| !word.starts_with(b"#"));
        let Some(first) = words.next() else { continue };
        let first = first.to_ascii_lowercase();
        let is_root = ROOTS.contains(&&first[..]);
        // The address of a page is no place, though it looks like one.
        if matches!(&first[..], b"location" | b"locationmatch" | b"rewrite" | b"redir" | b"return") {
            continue;
        }
        for word in words {
            let fixed = word.split(|byte| *byte == b'$').next().unwrap_or_default();
            let open = fixed.len() < word.len();
            let place = match (fixed.first(), open) {
                (Some(b'/'), false) if path::clean(word).is_empty() && !is_root => continue,
                (Some(b'/'), false) => path::clean(word),
                // What the variable ends with is not known, and neither is the name that it is a part of.
                (Some(b'/'), true) => path::parent(&path::clean(&[fixed, b"x"].concat())).to_vec(),
                (_, true) if is_root => Vec::new(),
                _ => continue,
            };
            if !place.is_empty() || is_root {
                found.push(ImagePath::new(&place));
            }
        }
        if found.len() >= PLACES_MAX {
            return vec![ImagePath::new(b"")];
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_known_by_where_they_lie_or_by_their_names() {
        for (name, is) in [
            ("etc/nginx/conf.d/shop", true),
            ("etc/nginx.d/shop", false),
            ("app/nginx.conf", true),
            ("app/nginx.prod.conf", true),
            ("app/nginx.conf.bak", false),
            ("etc/caddy/Caddyfile", true),
            ("Caddyfile.dev", true),
            ("etc/ld.so.conf", false),
            ("usr/local/apache2/conf/httpd.conf", true),
        ] {
            assert_eq!(is_settings(name.as_bytes()), is, "{name}");
        }
    }

    #[test]
    fn every_place_that_is_named_counts_and_a_variable_stands_for_any() {
        for (text, want) in [
            ("server { root /app/dist; location /api { proxy_pass http://x/y; } }", &["app/dist"][..]),
            (
                "DocumentRoot \"/var/www/shop/public\"\n<Directory \"/var/www/shop\">",
                &["var/www/shop", "var/www/shop/public"],
            ),
            ("  # root /old;\nroot /new/; # /other", &["new"]),
            (":80 {\n root * /srv/site\n file_server\n}", &["srv/site"]),
            ("root $web;", &[""]),
            ("root ${WEB};", &[""]),
            ("root /srv/$host/public;", &["srv"]),
            ("root /;", &[""]),
            ("error_page 404 /;", &[]),
            ("proxy_set_header Host $host;", &[]),
            ("rewrite ^ /app/x;", &[]),
            ("location / { alias /app/build/; }", &["app/build"]),
            ("server.document-root = \"/srv/w\"", &["srv/w"]),
            ("", &[]),
        ] {
            let want: Vec<ImagePath> = want.iter().map(|place| (*place).into()).collect();
            assert_eq!(places(text.as_bytes()), want, "{text}");
        }
    }
}
