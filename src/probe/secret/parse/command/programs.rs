//! Options of programs that take a secret.

/// What stands behind an option.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Takes {
    /// A secret.
    Secret,
    /// `user:secret`.
    Login,
    /// `user%secret`.
    Percent,
    /// `user,secret`.
    Comma,
    /// `pass:secret`, or where it is: `env:X`, `file:x`.
    Source,
    /// `Name: value`.
    Header,
    /// `name=secret&other=value`, or JSON.
    Data,
    /// `name=secret,other=value`.
    List,
}

/// A program, or several that take the same options.
pub(super) struct Program {
    pub(super) names: &'static [&'static str],
    /// A word that has to follow: `docker login`.
    pub(super) verb: Option<&'static str>,
    /// Options of one letter.
    pub(super) letters: &'static [(u8, Takes)],
    /// Letters that take something else, so that what follows is no further letter.
    pub(super) others: &'static [u8],
    /// Whether a value stands in the same word: `mysql -psecret`.
    pub(super) attached: bool,
    /// Options of several letters, without what they begin with.
    pub(super) words: &'static [(&'static str, Takes)],
}

const NONE: Program = Program { names: &[], verb: None, letters: &[], others: b"", attached: false, words: &[] };

/// The programs, as their manuals describe them.
pub(super) const PROGRAMS: &[Program] = &[
    Program {
        names: &["curl"],
        letters: &[
            (b'u', Takes::Login),
            (b'U', Takes::Login),
            (b'H', Takes::Header),
            (b'd', Takes::Data),
            (b'F', Takes::Data),
        ],
        others: b"AbcCDeEhKmMoPQrTtwxXyYz",
        words: &[
            ("user", Takes::Login),
            ("proxy-user", Takes::Login),
            ("header", Takes::Header),
            ("proxy-header", Takes::Header),
            ("data", Takes::Data),
            ("data-raw", Takes::Data),
            ("data-binary", Takes::Data),
            ("data-urlencode", Takes::Data),
            ("json", Takes::Data),
            ("form", Takes::Data),
            ("form-string", Takes::Data),
            ("oauth2-bearer", Takes::Secret),
            ("pass", Takes::Secret),
            ("proxy-pass", Takes::Secret),
        ],
        ..NONE
    },
    Program {
        names: &["wget", "wget2", "aria2c"],
        others: b"aoeitTPOUwQBlADXIRS",
        words: &[
            ("header", Takes::Header),
            ("post-data", Takes::Data),
            ("body-data", Takes::Data),
            ("http-passwd", Takes::Secret),
            ("ftp-passwd", Takes::Secret),
        ],
        ..NONE
    },
    Program {
        names: &["http", "https", "xh"],
        letters: &[(b'a', Takes::Login)],
        words: &[("auth", Takes::Login)],
        ..NONE
    },
    Program {
        names: &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mysqlimport",
            "mysqlcheck",
            "mysqlshow",
            "mariadb",
            "mariadb-dump",
            "mariadb-admin",
            "mariadb-check",
        ],
        letters: &[(b'p', Takes::Secret)],
        others: b"uhPDSeRWr",
        attached: true,
        ..NONE
    },
    Program { names: &["sshpass"], letters: &[(b'p', Takes::Secret)], others: b"fdP", ..NONE },
    Program {
        names: &[
            "docker", "podman", "nerdctl", "buildah", "skopeo", "crane", "oras", "helm", "regctl", "img", "az", "cf",
            "oc", "argocd",
        ],
        verb: Some("login"),
        letters: &[(b'p', Takes::Secret)],
        others: b"ut",
        ..NONE
    },
    Program { names: &["twine"], verb: Some("upload"), letters: &[(b'p', Takes::Secret)], others: b"uri", ..NONE },
    Program {
        names: &["mongo", "mongosh", "mongodump", "mongorestore", "mongoimport", "mongoexport", "mongostat", "cqlsh"],
        letters: &[(b'p', Takes::Secret)],
        others: b"uhdcfoqe",
        ..NONE
    },
    Program {
        names: &["redis-server", "valkey-server"],
        words: &[("requirepass", Takes::Secret), ("masterauth", Takes::Secret)],
        ..NONE
    },
    Program {
        names: &["redis-cli", "valkey-cli"],
        letters: &[(b'a', Takes::Secret)],
        others: b"hpsnriudxX",
        words: &[("pass", Takes::Secret)],
        ..NONE
    },
    Program {
        names: &["smbclient", "rpcclient", "smbget", "net"],
        letters: &[(b'U', Takes::Percent)],
        others: b"IpmWcTDs",
        words: &[("user", Takes::Percent)],
        ..NONE
    },
    Program { names: &["mount", "mount.cifs"], letters: &[(b'o', Takes::List)], others: b"tLU", ..NONE },
    Program {
        names: &["useradd", "usermod", "groupadd", "groupmod"],
        letters: &[(b'p', Takes::Secret)],
        others: b"bcdefgGkKRsSuUZ",
        ..NONE
    },
    Program {
        names: &["openssl"],
        words: &[
            ("passin", Takes::Source),
            ("passout", Takes::Source),
            ("pass", Takes::Source),
            ("password", Takes::Source),
            ("k", Takes::Secret),
            ("K", Takes::Secret),
        ],
        ..NONE
    },
    Program {
        names: &["keytool", "jarsigner", "apksigner"],
        words: &[
            ("storepass", Takes::Secret),
            ("keypass", Takes::Secret),
            ("deststorepass", Takes::Secret),
            ("srcstorepass", Takes::Secret),
            ("destkeypass", Takes::Secret),
            ("srckeypass", Takes::Secret),
            ("ks-pass", Takes::Source),
            ("key-pass", Takes::Source),
        ],
        ..NONE
    },
    Program {
        names: &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami", "ldappasswd"],
        letters: &[(b'w', Takes::Secret), (b's', Takes::Secret)],
        others: b"DHhpbfcoOSUXYTlzaEey",
        ..NONE
    },
    Program {
        names: &["7z", "7za", "7zr", "7zz"],
        letters: &[(b'p', Takes::Secret)],
        others: b"otmxisvwr",
        attached: true,
        ..NONE
    },
    Program { names: &["zip", "unzip", "zipcloak"], letters: &[(b'P', Takes::Secret)], others: b"dxintb", ..NONE },
    Program { names: &["sqlcmd", "bcp"], letters: &[(b'P', Takes::Secret)], others: b"SUdQqiohHlts", ..NONE },
    Program { names: &["lftp"], letters: &[(b'u', Takes::Comma)], others: b"pef", ..NONE },
    Program {
        names: &["ssh-keygen"],
        letters: &[(b'N', Takes::Secret), (b'P', Takes::Secret)],
        others: b"tbfCmoOInVzsrRFDaEi",
        ..NONE
    },
    Program {
        names: &["nuget", "nuget.exe", "dotnet"],
        words: &[("Password", Takes::Secret), ("ApiKey", Takes::Secret)],
        ..NONE
    },
];
