//! Reads files whose form is known, and tells which of their values are secrets.
//!
//! A parser gets the whole file. It knows the form of the file, not its path and not what other rules say. What stands
//! in for a secret or refers to one is left out; of a file that is damaged or no such file, what can be read is read.
//! All of them take time and memory in proportion to the file.

mod account;
mod aws;
mod cloud;
mod database;
mod docker;
mod dotnet;
mod flow;
mod git;
mod history;
mod ini;
mod item;
mod java;
mod kube;
mod netrc;
mod packages;
mod part;
mod properties;
mod state;
#[cfg(test)]
mod testing;
mod tree;
mod url;
mod vpn;
mod whole;
mod xml;
mod yaml;

pub mod command;

use std::ops::Range;

use serde::Deserialize;

use super::check::Verdict;
use crate::model::base64;

/// Which parser, by the word in policies.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parser {
    /// `config.json` of Docker, `auth.json` of Podman and Kaniko, `.dockercfg`.
    DockerConfig,
    /// `.kube/config`.
    Kubeconfig,
    /// Manifests of the kind `Secret`.
    K8sSecret,
    /// `.netrc`, `_netrc`, `auth.conf` of apt.
    Netrc,
    /// `.git/config`, `.gitconfig`, `.gitmodules`.
    GitConfig,
    /// `.git-credentials`.
    GitCredentials,
    /// `/etc/shadow`, `/etc/gshadow`: hashes.
    Shadow,
    /// `/etc/shadow`: accounts without a password.
    ShadowEmpty,
    /// `.htpasswd`, `htdigest`.
    Htpasswd,
    /// `.aws/credentials`, `.s3cfg`, `.boto`.
    AwsCredentials,
    /// `.aws/sso/cache/*.json`, `.aws/cli/cache/*.json`.
    AwsCache,
    /// Keys of Google's service accounts.
    GcpServiceAccount,
    /// `application_default_credentials.json`.
    GcpUser,
    /// `msal_token_cache.json`, `accessTokens.json`, `service_principal_entries.json`.
    AzureCache,
    /// `auth.json` of Composer.
    ComposerAuth,
    /// `credentials.tfrc.json`, `.terraformrc`.
    TerraformCredentials,
    /// `*.tfstate`.
    TerraformState,
    /// Private keys in JSON.
    Jwk,
    /// `logins.json` of Firefox.
    BrowserLogins,
    /// `sitemanager.xml` and `recentservers.xml` of FileZilla.
    Filezilla,
    /// `settings.xml` and `settings-security.xml` of Maven.
    MavenSettings,
    /// `NuGet.Config`.
    NugetConfig,
    /// `gradle.properties`.
    GradleProperties,
    /// `web.config`, `app.config`.
    WebConfig,
    /// `application.properties`, `bootstrap.properties`.
    ApplicationProperties,
    /// `application.yml`, `bootstrap.yml`.
    ApplicationYaml,
    /// Key stores of Java.
    Jks,
    /// Key stores of PKCS#12.
    Pkcs12,
    /// Private keys in DER.
    DerKey,
    /// `wg0.conf`.
    Wireguard,
    /// `*.ovpn`.
    Openvpn,
    /// `rclone.conf`.
    Rclone,
    /// `.pgpass`.
    Pgpass,
    /// `.my.cnf`, `my.cnf`, `debian.cnf`.
    MyCnf,
    /// `.npmrc`.
    Npmrc,
    /// `.yarnrc.yml`, `.yarnrc`.
    Yarnrc,
    /// `.pypirc`, `auth.toml` of Poetry.
    Pypirc,
    /// `pip.conf`, `requirements.txt`, `uv.toml`.
    PipConf,
    /// `credentials.toml` of Cargo.
    CargoCredentials,
    /// `.gem/credentials`.
    GemCredentials,
    /// `.bundle/config`.
    BundleConfig,
    /// `*.repo`, `yum.conf`, credentials of zypper.
    YumRepo,
    /// `hosts.yml` of `gh`, `config.yml` of `glab` and `doctl`, `.config/hub`.
    GhHosts,
    /// `.vault-token`, and any other file that is one token.
    VaultToken,
    /// `master.key` of Rails.
    RailsMasterKey,
    /// `.vault_pass` of Ansible.
    AnsibleVaultPassword,
    /// `.bash_history` and its like.
    ShellHistory,
    /// `user-data` of cloud-init, `cloud.cfg`.
    CloudInit,
}

/// A secret that a parser found.
pub struct Item {
    /// The bytes of the file that hold it, encoded or not.
    pub span: Range<usize>,
    /// The name that the file gives it.
    pub key: String,
    /// The value, decoded. It goes nowhere but into a validator.
    pub value: Vec<u8>,
    /// How sure it is.
    pub verdict: Verdict,
}

impl Parser {
    /// The secrets of a whole file; none of what is no such file.
    pub fn read(self, file: &[u8]) -> Vec<Item> {
        let read = match self {
            Self::DockerConfig => docker::read,
            Self::Kubeconfig => kube::kubeconfig,
            Self::K8sSecret => kube::secret,
            Self::Netrc => netrc::read,
            Self::GitConfig => git::config,
            Self::GitCredentials => git::credentials,
            Self::Shadow => account::shadow,
            Self::ShadowEmpty => account::shadow_empty,
            Self::Htpasswd => account::htpasswd,
            Self::AwsCredentials => aws::credentials,
            Self::AwsCache => cloud::aws_cache,
            Self::GcpServiceAccount => cloud::gcp_service_account,
            Self::GcpUser => cloud::gcp_user,
            Self::AzureCache => cloud::azure_cache,
            Self::ComposerAuth => cloud::composer,
            Self::TerraformCredentials => cloud::terraform_credentials,
            Self::TerraformState => state::read,
            Self::Jwk => cloud::jwk,
            Self::BrowserLogins => cloud::browser_logins,
            Self::Filezilla => dotnet::filezilla,
            Self::MavenSettings => java::maven,
            Self::NugetConfig => dotnet::nuget,
            Self::GradleProperties => java::gradle,
            Self::WebConfig => dotnet::web_config,
            Self::ApplicationProperties => java::application_properties,
            Self::ApplicationYaml => java::application_yaml,
            Self::Jks => whole::jks,
            Self::Pkcs12 => whole::pkcs12,
            Self::DerKey => whole::der_key,
            Self::Wireguard => vpn::wireguard,
            Self::Openvpn => vpn::openvpn,
            Self::Rclone => aws::rclone,
            Self::Pgpass => database::pgpass,
            Self::MyCnf => database::my_cnf,
            Self::Npmrc => packages::npmrc,
            Self::Yarnrc => packages::yarnrc,
            Self::Pypirc => packages::pypirc,
            Self::PipConf => packages::pip_conf,
            Self::CargoCredentials => packages::cargo_credentials,
            Self::GemCredentials => packages::gem_credentials,
            Self::BundleConfig => packages::bundle_config,
            Self::YumRepo => packages::yum_repo,
            Self::GhHosts => packages::gh_hosts,
            Self::VaultToken => whole::token,
            Self::RailsMasterKey => whole::rails_master_key,
            Self::AnsibleVaultPassword => whole::ansible_vault_password,
            Self::ShellHistory => history::shell,
            Self::CloudInit => history::cloud_init,
        };
        read(file)
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::ALL, *};

    #[test]
    fn noise_ends_in_every_parser() {
        let pieces = [
            "{\"auths\":{\"a\":{",
            "[a]\n",
            "<a b='",
            "a: |\n",
            "machine a password ",
            "https://u:p@",
            "- - -",
            "a=b\\\n",
            "$(",
            "\"",
            "\0\u{ff}",
            "users:\n- name: a\n  user:\n    token: ",
            "curl -u a:b ",
            "export TOKEN=",
            "root::::::::\n",
            "BUNDLE_A__B: c\n",
            "<key>",
            "]}",
        ];
        for parser in ALL {
            for piece in pieces {
                let _ = parser.read(piece.repeat(400).as_bytes());
            }
            let _ = parser.read(pieces.concat().repeat(20).as_bytes());
        }
    }

    #[test]
    fn no_key_repeats_its_secret() {
        let secret = testing::secret(1);
        let file = format!(
            "[remote \"{secret}\"]\nurl = https://me:{secret}@git.test/a\n[url \"https://{secret}:x-oauth-basic@h\"]\nx = y\n"
        );
        let items = Parser::GitConfig.read(file.as_bytes());
        assert_eq!(items.len(), 2);
        assert!(items.iter().all(|item| !item.key.contains(&secret)));
    }
}
