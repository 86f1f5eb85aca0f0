//! The kinds of tokens: rule id, how one is written, and where the rule has to find it.

use Reach::{Apart, Every, Settings, Text};

/// In which files a kind has to be found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// In every file, also between other letters of a binary.
    Every,
    /// In every file, but not where letters of other texts touch it: nothing tells where it begins.
    Apart,
    /// In every text.
    Text,
    /// In what holds settings: the name beside it is what tells.
    Settings,
}

pub struct Kind {
    pub rule: &'static str,
    pub reach: Reach,
    /// Names of the variable that holds it; any when empty.
    pub names: &'static [&'static str],
    pub templates: &'static [&'static str],
}

const fn kind(
    rule: &'static str,
    reach: Reach,
    names: &'static [&'static str],
    templates: &'static [&'static str],
) -> Kind {
    Kind { rule, reach, names, templates }
}

/// Names that say nothing.
pub const ANY: &[&str] =
    &["TOKEN", "API_TOKEN", "SERVICE_KEY", "UPLOAD_TOKEN", "CI_CREDENTIAL", "integration", "value"];

pub const KINDS: &[Kind] = &[
    kind("github-pat", Every, &[], &["ghp_{w30}{crc62}"]),
    kind("github-oauth-token", Every, &[], &["gho_{w30}{crc62}"]),
    kind("github-app-user-token", Every, &[], &["ghu_{w30}{crc62}"]),
    kind("github-app-server-token", Every, &[], &["ghs_{w30}{crc62}"]),
    kind("github-refresh-token", Every, &[], &["ghr_{w30}{crc62}"]),
    kind("github-app-stateless-token", Every, &[], &["ghs_{jwt-rs}"]),
    kind("github-pat-fine-grained", Every, &[], &["github_pat_{w22}_{w59}"]),
    kind("gitlab-pat", Every, &[], &["glpat-{u20}"]),
    kind("gitlab-pat-routable", Every, &[], &["glpat-{u36}.01.10{crc36}"]),
    kind("gitlab-deploy-token", Every, &[], &["gldt-{u20}"]),
    kind("gitlab-runner-token", Every, &[], &["glrt-{u20}", "glrt-t1_{u20}"]),
    kind("gitlab-job-token", Every, &[], &["glcbt-{h2}_{u20}"]),
    kind("gitlab-trigger-token", Every, &[], &["glptt-{h40}"]),
    kind("gitlab-agent-token", Every, &[], &["glagent-{u50}"]),
    kind("gitlab-feed-token", Every, &[], &["glft-{u20}"]),
    kind("gitlab-oauth-secret", Every, &[], &["gloas-{h64}"]),
    kind("bitbucket-app-password", Every, &[], &["ATBB{w24}{H8}"]),
    kind("atlassian-api-token", Every, &[], &["ATATT3xFfGF0{u178}={crchex}"]),
    kind("circleci-token", Every, &[], &["CCIPAT_{w22}_{h40}", "CCIPRJ_{w22}_{h40}"]),
    kind("buildkite-token", Every, &[], &["bkua_{h40}", "bkaj_{h40}"]),
    kind("sonarqube-token", Every, &[], &["sqp_{h40}", "squ_{h40}", "sqa_{h40}"]),
    kind(
        "codeberg-gitea-token-url",
        Apart,
        &["REPO_URL", "origin"],
        &["https://x-access-token:{h40}@codeberg.org/shop/api.git", "https://oauth2:{w26}@git.shop.internal/api.git"],
    ),
    kind("npm-token", Every, &[], &["npm_{w30}{crc62}"]),
    kind("pypi-token", Every, &[], &["pypi-{macaroon}", "pypi-{macaroon-test}"]),
    kind("rubygems-token", Every, &[], &["rubygems_{h48}"]),
    kind("crates-io-token", Apart, &[], &["cio{w32}"]),
    kind("nuget-api-key", Apart, &[], &["oy2b{s42}"]),
    kind("packagist-token", Every, &[], &["packagist_ort_{h68}", "packagist_uut_{h68}"]),
    kind("clojars-token", Every, &[], &["CLOJARS_{h60}"]),
    kind("artifactory-api-key", Apart, &[], &["AKCp{w69}"]),
    kind("artifactory-reference-token", Every, &[], &["{reftkn}"]),
    kind("dockerhub-token", Every, &[], &["dckr_pat_{u27}", "dckr_oat_{u32}"]),
    kind("aws-access-key-id", Every, &["AWS_ACCESS_KEY_ID", "accessKeyId"], &["AKIA{awsid}", "ASIA{awsid}"]),
    kind(
        "aws-secret-access-key",
        Settings,
        &["AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", "secretAccessKey", "secret_access_key"],
        &["{b40}"],
    ),
    kind("aws-session-token", Every, &["AWS_SESSION_TOKEN"], &["IQoJb3JpZ2luX2Vj{b300}", "FwoGZXIvYXdz{b260}"]),
    kind("aws-bedrock-key", Every, &["AWS_BEARER_TOKEN_BEDROCK"], &["ABSK{bedrock}"]),
    kind("aws-mws-key", Every, &[], &["amzn.mws.{uuid}"]),
    kind("gcp-api-key", Every, &["GOOGLE_API_KEY", "MAPS_KEY"], &["AIza{u35}"]),
    kind("gcp-oauth-client-secret", Every, &[], &["GOCSPX-{u28}"]),
    kind("gcp-oauth-refresh-token", Apart, &["refresh_token"], &["1//0{a1}{u98}"]),
    kind("gcp-oauth-access-token", Every, &["access_token"], &["ya29.{u160}"]),
    kind("gcs-hmac-key", Every, &[], &["GOOG1E{t55}"]),
    kind(
        "azure-storage-key",
        Every,
        &["AZURE_STORAGE_CONNECTION_STRING"],
        &["DefaultEndpointsProtocol=https;AccountName=shopdata;AccountKey={B64};EndpointSuffix=core.windows.net"],
    ),
    kind("azure-entra-client-secret", Apart, &["AZURE_CLIENT_SECRET"], &["{w3}8Q~{w34}", "{w3}7Q~{w20}.{w6}-{w5}"]),
    kind(
        "azure-sas-token",
        Text,
        &["BACKUP_URL"],
        &[
            "https://shop.blob.core.windows.net/backup?sv=2022-11-02&ss=b&srt=co&sp=rwl&se=2039-01-01T00:00:00Z&spr=https&sig={sas}",
        ],
    ),
    kind("azure-devops-pat", Apart, &["AZURE_DEVOPS_EXT_PAT"], &["{w52}JQQJ99{w1}C{w12}AAAAAZDO{w4}"]),
    kind(
        "azure-shared-access-key",
        Every,
        &["SERVICEBUS_CONNECTION"],
        &["Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={B32}"],
    ),
    kind("azure-acr-key", Settings, &["ACR_PASSWORD"], &["{b42}+ACRB{w5}"]),
    kind("alibaba-access-key-id", Apart, &["ALIBABA_CLOUD_ACCESS_KEY_ID"], &["LTAI5t{w18}"]),
    kind("tencent-secret-id", Every, &["TENCENTCLOUD_SECRET_ID"], &["AKID{w32}"]),
    kind("digitalocean-token", Every, &[], &["dop_v1_{h64}", "doo_v1_{h64}", "dor_v1_{h64}"]),
    kind("cloudflare-origin-ca-key", Every, &[], &["v1.0-{h24}-{h146}"]),
    kind("cloudflare-api-token", Settings, &["CLOUDFLARE_API_TOKEN", "cf_api_token", "cloudflareToken"], &["{u40}"]),
    kind("heroku-api-key", Every, &["HEROKU_API_KEY"], &["HRKU-AA{u58}"]),
    kind("flyio-token", Every, &["FLY_API_TOKEN"], &["fo1_{u43}"]),
    kind("slack-token", Every, &[], &["xoxb-{d12}-{d13}-{w24}", "xoxp-{d12}-{d12}-{d13}-{h32}"]),
    kind("slack-app-token", Every, &[], &["xapp-1-A{A10}-{d13}-{h64}"]),
    kind("slack-webhook", Every, &["SLACK_URL", "webhook"], &["https://hooks.slack.com/services/T{A10}/B{A10}/{w24}"]),
    kind("discord-bot-token", Apart, &["DISCORD_TOKEN", "BOT_TOKEN"], &["{discord}.G{u5}.{u38}"]),
    kind("discord-webhook", Apart, &["webhook"], &["https://discord.com/api/webhooks/1{d18}/{u68}"]),
    kind("telegram-bot-token", Apart, &["TELEGRAM_TOKEN"], &["6{d9}:AA{u33}"]),
    kind(
        "teams-webhook",
        Every,
        &["webhook"],
        &["https://shop.webhook.office.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/{h32}/{uuid}"],
    ),
    kind("stripe-secret-key", Every, &["STRIPE_KEY"], &["sk_live_{w24}", "sk_live_51{w99}"]),
    kind("stripe-restricted-key", Every, &["STRIPE_KEY"], &["rk_live_{w24}"]),
    kind("stripe-webhook-secret", Every, &["STRIPE_WEBHOOK_SECRET"], &["whsec_{w32}"]),
    kind("square-token", Apart, &[], &["sq0csp-{u43}", "sq0atp-{u22}", "EAAAl{u59}"]),
    kind("braintree-token", Every, &[], &["access_token$production${a16}${h32}"]),
    kind("shopify-token", Every, &[], &["shpat_{h32}", "shpss_{h32}", "shppa_{h32}"]),
    kind("sendgrid-key", Every, &[], &["SG.{u22}.{u43}"]),
    kind("mailgun-key", Settings, &["MAILGUN_API_KEY", "mailgun_key"], &["key-{h32}"]),
    kind("mailchimp-key", Settings, &["MAILCHIMP_API_KEY"], &["{h32}-us14", "{h32}-us6"]),
    kind("brevo-key", Every, &[], &["xkeysib-{h64}-{w16}"]),
    kind("twilio-api-key", Apart, &["TWILIO_API_KEY"], &["SK{h32}"]),
    kind("postman-key", Every, &[], &["PMAK-{h24}-{h34}"]),
    kind("linear-key", Every, &[], &["lin_api_{w40}"]),
    kind("notion-token", Every, &["NOTION_TOKEN"], &["ntn_{d11}{w35}", "secret_{w43}"]),
    kind("figma-token", Every, &[], &["figd_{u40}"]),
    kind("airtable-token", Apart, &["AIRTABLE_TOKEN"], &["pat{w14}.{h64}"]),
    kind("datadog-api-key", Settings, &["DATADOG_API_KEY", "DD_API_KEY", "datadog_api_key"], &["{h32}"]),
    kind("newrelic-key", Every, &[], &["NRAK-{A27}"]),
    kind("sentry-user-token", Every, &[], &["sntryu_{h64}"]),
    kind("sentry-org-token", Every, &[], &["sntrys_{sentry}_{b43}"]),
    kind("grafana-token", Every, &[], &["glsa_{w32}_{h8}"]),
    kind("grafana-cloud-token", Every, &[], &["glc_{grafana}"]),
    kind("dynatrace-token", Every, &[], &["dt0c01.{t24}.{t64}", "dt0s16.{t24}.{t64}"]),
    kind("databricks-token", Apart, &["DATABRICKS_TOKEN"], &["dapi{h32}", "dapi{h32}-2"]),
    kind("doppler-token", Every, &[], &["dp.pt.{w43}", "dp.st.prd.{w43}"]),
    kind("vault-token", Every, &["VAULT_TOKEN"], &["hvs.{u24}", "hvs.CAES{u90}", "hvb.{u140}"]),
    kind("terraform-cloud-token", Apart, &["TFE_TOKEN"], &["{w14}.atlasv1.{u67}"]),
    kind("pulumi-token", Every, &[], &["pul-{h40}"]),
    kind("planetscale-token", Every, &[], &["pscale_tkn_{u43}", "pscale_pw_{u43}"]),
    kind("supabase-token", Every, &[], &["sbp_{h40}", "sb_secret_{u31}"]),
    kind("tailscale-key", Every, &[], &["tskey-auth-{w17}-{w32}", "tskey-api-{w13}-{w32}"]),
    kind("onepassword-service-token", Every, &["OP_SERVICE_ACCOUNT_TOKEN"], &["ops_{onepassword}"]),
    kind("onepassword-secret-key", Apart, &["OP_SECRET_KEY"], &["A3-{A6}-{A6}-{A5}-{A5}-{A5}-{A5}"]),
    kind("openai-key", Every, &["OPENAI_API_KEY"], &["sk-proj-{u74}T3BlbkFJ{u74}", "sk-{w20}T3BlbkFJ{w20}"]),
    kind("anthropic-key", Every, &["ANTHROPIC_API_KEY"], &["sk-ant-api03-{u93}AA"]),
    kind("huggingface-token", Every, &["HF_TOKEN"], &["hf_{L34}"]),
    kind("groq-key", Every, &[], &["gsk_{w52}"]),
    kind("replicate-token", Every, &[], &["r8_{w37}"]),
    kind("xai-key", Every, &[], &["xai-{w80}"]),
    kind("perplexity-key", Every, &[], &["pplx-{w48}"]),
    kind("langsmith-key", Every, &[], &["lsv2_pt_{h32}_{h10}", "lsv2_sk_{h32}_{h10}"]),
    kind("gitlab-scim-token", Every, &[], &["glsoat-{u20}"]),
    kind("gitlab-feature-flag-token", Every, &[], &["glffct-{u20}"]),
    kind("gitlab-mail-token", Every, &[], &["glimt-{u25}"]),
    kind("bitbucket-access-token", Every, &[], &["ATCTT3xFfGN0{u170}={crchex}"]),
    kind("hubspot-token", Every, &["HUBSPOT_TOKEN"], &["pat-na1-{uuid}", "pat-eu1-{uuid}"]),
    kind("frameio-token", Every, &[], &["fio-u-{u64}"]),
    kind("duffel-token", Every, &[], &["duffel_live_{u43}"]),
    kind("easypost-key", Every, &[], &["EZAK{w54}"]),
    kind("flutterwave-key", Every, &[], &["FLWSECK-{h32}-X"]),
    kind("infracost-token", Every, &[], &["ico-{w32}"]),
    kind("prefect-token", Every, &[], &["pnu_{w36}"]),
    kind("readme-key", Every, &[], &["rdme_{a70}"]),
    kind("sourcegraph-token", Every, &[], &["sgp_{h16}_{h40}"]),
    kind("shippo-token", Every, &[], &["shippo_live_{h40}"]),
    kind("openrouter-key", Every, &[], &["sk-or-v1-{h64}"]),
    kind("nvidia-key", Every, &[], &["nvapi-{u64}"]),
    kind("posthog-key", Every, &[], &["phx_{w43}"]),
    kind("contentful-token", Every, &[], &["CFPAT-{u43}"]),
    kind("razorpay-key", Every, &[], &["rzp_live_{w14}"]),
    kind("plaid-token", Every, &[], &["access-production-{uuid}"]),
    kind("apify-token", Every, &[], &["apify_api_{w36}"]),
    kind("tavily-key", Every, &[], &["tvly-{w32}", "tvly-dev-{w32}"]),
    kind("mailersend-token", Every, &[], &["mlsn.{h64}"]),
    kind("docker-swarm-token", Every, &[], &["SWMTKN-1-{a50}-{a25}"]),
    kind("octopus-deploy-key", Settings, &["OCTOPUS_API_KEY"], &["API-{A32}"]),
    kind("xendit-key", Every, &[], &["xnd_production_{w40}"]),
    kind("alibaba-access-key-secret", Settings, &["ALIBABA_CLOUD_ACCESS_KEY_SECRET"], &["{w30}"]),
    kind("fernet-key", Settings, &["FERNET_KEY", "AIRFLOW__CORE__FERNET_KEY"], &["{V32}="]),
    kind("asana-token", Settings, &["ASANA_TOKEN"], &["1/{d16}:{h32}"]),
    kind("snyk-token", Settings, &["SNYK_TOKEN"], &["{uuid}"]),
    kind("okta-token", Settings, &["OKTA_API_TOKEN"], &["00{u40}"]),
    kind("pinecone-key", Every, &[], &["pcsk_{w6}_{w63}"]),
    kind("age-secret-key", Every, &[], &["{age}"]),
    kind("jwt", Every, &["ACCESS_TOKEN", "jwt", "SERVICE_TOKEN"], &["{jwt}", "{jwt-rs}", "{jwt-forever}"]),
    kind("k8s-service-account-token", Every, &["K8S_TOKEN", "token"], &["{jwt-kubernetes}"]),
    kind(
        "database-url",
        Text,
        &["DATABASE_URL", "REDIS_URL", "MONGO_URI", "dsn"],
        &[
            "postgres://app:{p16}@db.prod.internal:5432/shop",
            "postgresql://app:{human}@10.2.0.4/shop?sslmode=require",
            "mysql://shop:{w18}@mysql.prod/shop",
            "mongodb+srv://svc:{w20}@cluster0.ab1cd.mongodb.net/shop",
            "redis://:{w24}@cache.prod.internal:6379/0",
            "amqps://events:{w22}@rabbit.prod.internal/shop",
        ],
    ),
    kind(
        "url-basic-auth",
        Text,
        &["INDEX_URL", "PROXY", "mirror"],
        &["https://deploy:{p16}@nexus.shop.internal/repository/raw/", "ftp://upload:{human}@files.shop.internal/in"],
    ),
    kind("django-secret-key", Settings, &["SECRET_KEY"], &["{p50}"]),
    kind("rails-secret-key-base", Settings, &["secret_key_base", "SECRET_KEY_BASE"], &["{h128}"]),
    kind("laravel-app-key", Settings, &["APP_KEY"], &["base64:{B32}"]),
    kind(
        "connection-string-password",
        Settings,
        &["ConnectionStrings__Default", "DefaultConnection"],
        &[
            "Server=tcp:sql.shop.internal,1433;Initial Catalog=shop;User ID=app;Password={p16};Encrypt=True;",
            "Host=pg.shop.internal;Database=shop;Username=app;Password={human};",
        ],
    ),
    kind(
        "generic-assignment",
        Settings,
        &[
            "DB_PASSWORD",
            "api_key",
            "client_secret",
            "SMTP_PASSWORD",
            "auth_token",
            "encryptionKey",
            "ADMIN_PASSWD",
            "secretKey",
        ],
        &["{p16}", "{w24}", "{human}", "{h32}", "{B24}", "{p20}"],
    ),
];

/// Rules that are no alarm: what they find opens little.
pub fn is_low(rule: &str) -> bool {
    ["gitlab-feature-flag-token", "infracost-token", "readme-key"].contains(&rule)
}

/// What other rules may say of the same value without being wrong.
pub fn accepted(rule: &str) -> &'static [&'static str] {
    match rule {
        "codeberg-gitea-token-url" => &["url-credentials", "git-remote-credentials"],
        "url-basic-auth" => &["url-credentials"],
        "connection-string-password" => &["connection-string", "spring-password", "dotnet-settings-password"],
        "npmrc-basic-auth" => &["npmrc-auth-token"],
        "private-key-encrypted" => &["private-key"],
        // By a parser of the file or by the form of its header; the remedy is the same.
        "git-remote-credentials" => &["basic-auth-header"],
        // What only a name tells may be told by the general rule, or by that of the file.
        "django-secret-key" | "cloudflare-api-token" | "snyk-token" | "azure-acr-key" | "datadog-api-key" => {
            &["generic-assignment", "spring-password", "dotnet-settings-password", "session-secret"]
        }
        "generic-assignment" => {
            &["spring-password", "dotnet-settings-password", "php-config-password", "session-secret"]
        }
        "gcp-adc-user-credentials" => &["generic-assignment"],
        "azure-devops-pat" => &["azure-annotated-key"],
        "k8s-service-account-token" => &["jwt"],
        "gitlab-pat-routable" => &["gitlab-pat"],
        "github-app-stateless-token" => &["github-app-server-token"],
        _ => &[],
    }
}
