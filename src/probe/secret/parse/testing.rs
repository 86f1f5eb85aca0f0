//! What the tests of parsers share.

use super::{
    Item, Parser,
    tree::{NodeNo, Tree},
};

/// All parsers.
pub(super) const ALL: [Parser; 48] = [
    Parser::DockerConfig,
    Parser::Kubeconfig,
    Parser::K8sSecret,
    Parser::Netrc,
    Parser::GitConfig,
    Parser::GitCredentials,
    Parser::Shadow,
    Parser::ShadowEmpty,
    Parser::Htpasswd,
    Parser::AwsCredentials,
    Parser::AwsCache,
    Parser::GcpServiceAccount,
    Parser::GcpUser,
    Parser::AzureCache,
    Parser::ComposerAuth,
    Parser::TerraformCredentials,
    Parser::TerraformState,
    Parser::Jwk,
    Parser::BrowserLogins,
    Parser::Filezilla,
    Parser::MavenSettings,
    Parser::NugetConfig,
    Parser::GradleProperties,
    Parser::WebConfig,
    Parser::ApplicationProperties,
    Parser::ApplicationYaml,
    Parser::Jks,
    Parser::Pkcs12,
    Parser::DerKey,
    Parser::Wireguard,
    Parser::Openvpn,
    Parser::Rclone,
    Parser::Pgpass,
    Parser::MyCnf,
    Parser::Npmrc,
    Parser::Yarnrc,
    Parser::Pypirc,
    Parser::PipConf,
    Parser::CargoCredentials,
    Parser::GemCredentials,
    Parser::BundleConfig,
    Parser::YumRepo,
    Parser::GhHosts,
    Parser::VaultToken,
    Parser::RailsMasterKey,
    Parser::AnsibleVaultPassword,
    Parser::ShellHistory,
    Parser::CloudInit,
];

/// Every value of a tree with the names on the way to it.
pub(super) fn flat(file: &str) -> Vec<String> {
    let tree = Tree::read(file.as_bytes());
    let mut out = Vec::new();
    let mut work: Vec<(NodeNo, String)> = tree.documents().map(|node| (node, String::new())).collect();
    work.reverse();
    while let Some((node, path)) = work.pop() {
        let path = format!("{path}/{}", tree.name(node));
        if let Some(leaf) = tree.leaf(node) {
            out.push(format!("{path}={}", String::from_utf8_lossy(&leaf.value)));
            assert!(file.as_bytes().get(leaf.span).is_some());
        }
        let below: Vec<_> = tree.children(node).map(|child| (child, path.clone())).collect();
        work.extend(below.into_iter().rev());
    }
    out
}

/// `key=value` of what a parser finds; every span has to lie in the file.
pub(super) fn found(parser: Parser, file: &str) -> Vec<String> {
    shown(&parser.read(file.as_bytes()), file.as_bytes())
}

/// The same of items.
pub(super) fn shown(items: &[Item], file: &[u8]) -> Vec<String> {
    let show = |item: &Item| {
        assert!(file.get(item.span.clone()).is_some(), "the span of {} is in the file", item.key);
        format!("{}={}", item.key, String::from_utf8_lossy(&item.value))
    };
    items.iter().map(show).collect()
}

/// What the file has where a parser found something.
pub(super) fn places(parser: Parser, file: &str) -> Vec<String> {
    let items = parser.read(file.as_bytes());
    items.iter().map(|item| file.get(item.span.clone()).unwrap_or_default().to_string()).collect()
}

/// The parser on the file cut at every length, with other line ends, with a mark in front: nothing may break, and the
/// last two give what the file itself gives.
pub(super) fn accept(parser: Parser, file: &str) -> Vec<String> {
    let want = found(parser, file);
    for end in 0..file.len() {
        let _ = shown(&parser.read(&file.as_bytes()[..end]), &file.as_bytes()[..end]);
    }
    assert_eq!(found(parser, &file.replace('\n', "\r\n")), want, "with CRLF");
    assert_eq!(found(parser, &format!("\u{feff}{file}")), want, "with a mark");
    want
}

/// Words that look like no secret format, and like no stand-in: made when the test runs.
pub(super) fn secret(no: usize) -> String {
    let letters = b"q7Wz3Kx9Vb2Nm5Tr8Lp4Hd6";
    (0..16).map(|at| char::from(letters[(at * 7 + no * 5 + at * no) % letters.len()])).collect()
}
