//! The words that stand-ins and well-known defaults are made of.
//!
//! Lower case. A word belongs in here when people write it in the place of a secret,
//! not because it is frequent.

/// Whole values that say there is none.
#[rustfmt::skip]
pub(super) const NOTHING: &[&str] = &[
    "-", "none", "null", "nil", "nul", "true", "false", "yes", "no", "on", "off", "undefined", "undef", "empty",
    "blank", "unset", "default", "auto", "automatic", "required", "optional", "string", "str", "text", "bool",
    "boolean", "int", "integer", "number", "varchar", "object", "array", "any", "void", "input", "stdin", "prompt",
    "ask", "todo", "fixme", "tbd", "tba", "n/a", "na", "xxx", "foo", "bar", "baz", "foobar", "foobarbaz", "hidden",
    "masked", "redacted", "removed", "disabled", "enabled", "locked", "unused", "plain", "plaintext", "basic",
    "bearer", "md5", "sha1", "sha256", "sha512", "bcrypt", "scrypt", "argon2", "scram-sha-256", "crypt", "peer",
    "trust", "ident", "reject",
];

/// Words that say that something else is meant to stand here.
#[rustfmt::skip]
pub(super) const STAND_IN: &[&str] = &[
    "your", "yours", "change", "changeme", "changethis", "replace", "replaceme", "insert", "enter", "fill", "put",
    "paste", "provide", "example", "examples", "sample", "dummy", "placeholder", "fake", "mock", "redacted",
    "removed", "hidden", "masked", "todo", "fixme", "here", "foobar", "lorem", "ipsum", "nota", "notasecret",
    "notarealkey", "thisisnot", "generate", "template", "tutorial", "invalid", "obfuscated", "sanitized", "censored",
    "snip", "omitted", "truncated", "deadbeef",
];

/// Words that name a secret or what it is for; they say nothing of it.
#[rustfmt::skip]
pub(super) const NAMES: &[&str] = &[
    "a", "access", "account", "admin", "administrator", "an", "and", "api", "app", "application", "auth",
    "authentication", "authorization", "aws", "azure", "bearer", "bot", "client", "code", "cookie", "cred",
    "credential", "credentials", "database", "db", "default", "demo", "dev", "developer", "development", "docker",
    "email", "encryption", "entropy", "for", "git", "github", "gitlab", "google", "guest", "hash", "hello", "host",
    "id", "in", "is", "it", "jwt", "key", "keys", "ldap", "local", "localhost", "login", "long", "mail", "master",
    "me", "mongo", "mongodb", "my", "mysql", "name", "new", "no", "not", "npm", "of", "one", "only", "or", "oauth",
    "openai", "pass", "passphrase", "passwd", "password", "passwort", "phrase", "please", "postgres", "postgresql",
    "private", "public", "pw", "pwd", "rabbitmq", "random", "real", "redis", "refresh", "root", "salt", "secret",
    "secrets", "secure", "server", "service", "session", "set", "signing", "slack", "smtp", "some", "something",
    "string", "stripe", "strong", "super", "supersecret", "test", "tester", "testing", "text", "that", "the", "this",
    "to", "token", "tokens", "unique", "user", "username", "uuid", "value", "very", "webhook", "with", "world", "you",
];

/// Whole values that servers and their documentation start with.
#[rustfmt::skip]
pub(super) const DEFAULTS: &[&str] = &[
    "0000", "1111", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "abc123",
    "abcd1234", "airflow", "anonymous", "cassandra", "changeit", "couchdb", "elastic", "elasticsearch", "ftp", "grafana",
    "influxdb", "iloveyou", "jenkins", "kafka", "keycloak", "letmein", "mariadb", "minio", "minio123", "minioadmin",
    "monkey", "my-secret-pw", "neo4j", "nexus", "nopassword", "odoo", "oracle", "p@ssw0rd", "p@ssword", "pa$$w0rd",
    "pa$$word", "passw0rd", "pass@word1", "qwerty", "qwerty123", "raspberry", "s3cr3t", "s3cret", "sa", "sonar",
    "sonarqube", "sysadmin", "tiger", "tomcat", "toor", "ubuntu", "vagrant", "welcome", "welcome1", "wordpress", "zabbix",
    "zaq12wsx",
];
