//! What programs, settings and documents say of secrets without holding one.

/// What it is, the name of the file, and the text.
pub const TEXTS: &[(&str, &str, &str)] = &[
    (
        "user interfaces",
        "login.html",
        "<form><label for=\"password\">Password</label><input type=\"password\" name=\"password\" placeholder=\"Your password\" autocomplete=\"current-password\"><input type=\"hidden\" name=\"csrf_token\" value=\"\"></form>\n",
    ),
    (
        "user interfaces",
        "Login.jsx",
        "export function Login({ onSubmit }) {\n  const [password, setPassword] = useState('')\n  const passwordField = form.password\n  return <input type=\"password\" value={password} onChange={e => setPassword(e.target.value)} />\n}\n",
    ),
    (
        "user interfaces",
        "en.json",
        "{\n  \"password\": \"Password\",\n  \"password_confirmation\": \"Confirm password\",\n  \"forgotPassword\": \"Forgot your password?\",\n  \"apiKey\": \"API key\",\n  \"secretKeyHint\": \"Keep this secret key somewhere safe!\",\n  \"token.invalid\": \"This token is invalid or has expired.\"\n}\n",
    ),
    (
        "user interfaces",
        "de.yml",
        "de:\n  devise:\n    passwords:\n      password: Passwort\n      send_instructions: \"Du erhältst in wenigen Minuten eine E-Mail.\"\n    api_token: API-Schlüssel\n    client_secret: Geheimer-Schlüssel\n",
    ),
    (
        "user interfaces",
        "messages.properties",
        "login.password=Mot de passe\nlogin.password.forgotten=Mot de passe oublié ?\nadmin.api.key=Clé d''API\nadmin.secret=Secret partagé\nerror.token=Jeton invalide\n",
    ),
    (
        "user interfaces",
        "strings.xml",
        "<resources>\n <string name=\"password\">Password</string>\n <string name=\"prompt_password\">Password (optional)</string>\n <string name=\"api_key\">API Key</string>\n</resources>\n",
    ),
    (
        "user interfaces",
        "style.css",
        ".password-field--with-toggle{width:100%}.token-input-list-facebook{margin:0}.secret-key__container{color:#123456}#api-key-form{padding:0}\n",
    ),
    (
        "programs",
        "auth.py",
        "def login(user, password=None, token=None):\n    password = password or getpass.getpass('Password: ')\n    secret = settings.SECRET_KEY\n    auth_token = generate_token(user.id)\n    api_key = request.headers.get('X-Api-Key')\n    return hmac.compare_digest(token, user.token)\n",
    ),
    (
        "programs",
        "settings.py",
        "import os\nSECRET_KEY = os.environ['SECRET_KEY']\nDB_PASSWORD = os.environ.get('DB_PASSWORD', '')\nAPI_TOKEN = config('API_TOKEN', default='')\nPASSWORD_RESET_TIMEOUT = 259200\nAUTH_PASSWORD_VALIDATORS = [{'NAME': 'django.contrib.auth.password_validation.MinimumLengthValidator'}]\n",
    ),
    (
        "programs",
        "config.js",
        "module.exports = {\n  password: process.env.DB_PASSWORD,\n  secret: process.env.SESSION_SECRET || require('crypto').randomBytes(32),\n  token: () => store.get('auth.token'),\n  apiKey: import.meta.env.VITE_API_KEY,\n  secretOrKey: options.secretOrKeyProvider,\n  passwordField: 'user[password]',\n}\n",
    ),
    (
        "programs",
        "Auth.java",
        "public class Auth {\n  private static final String PASSWORD_KEY = \"spring.datasource.password\";\n  private String password = System.getenv(\"DB_PASSWORD\");\n  @Value(\"${app.secret}\") private String secret;\n  public void setToken(String token) { this.token = token; }\n  static final String TOKEN_PREFIX = \"Bearer \";\n}\n",
    ),
    (
        "programs",
        "main.go",
        "package main\n\nvar password = flag.String(\"password\", \"\", \"password of the database\")\nvar apiKey = os.Getenv(\"API_KEY\")\n\nconst secretName = \"shop-db-credentials\"\nconst tokenHeader = \"X-Auth-Token\"\n\nfunc token() string { return strings.TrimSpace(readFile(\"/run/secrets/token\")) }\n",
    ),
    (
        "programs",
        "deploy.sh",
        "#!/bin/sh\nset -eu\nPASSWORD=\"$(cat /run/secrets/password)\"\nTOKEN=${TOKEN:?set TOKEN}\nexport SECRET_KEY=\"$1\"\ncurl -u \"$USER:$PASSWORD\" -H \"Authorization: Bearer $TOKEN\" https://api.shop.internal/\ndocker login -u ci --password-stdin < /run/secrets/registry\nread -s -p 'Password: ' PASS\nmysql -u root -p\"$PASSWORD\" shop\nopenssl rand -base64 32\n",
    ),
    (
        "programs",
        "seed.rb",
        "User.create!(email: 'a@b.c', password: ENV.fetch('ADMIN_PASSWORD'), password_confirmation: ENV['ADMIN_PASSWORD'])\nRails.application.credentials.secret_key_base\nsecret = SecureRandom.hex(64)\n",
    ),
    (
        "programs",
        "auth.ts",
        "interface Credentials { password: string; accessToken?: string; clientSecret: string }\nconst apiKey: string | undefined = this.config.apiKey\nconst secretKey = crypto.createSecretKey(Buffer.alloc(32))\nexport const TOKEN_STORAGE_KEY = 'shop.auth.accessToken'\n",
    ),
    (
        "programs",
        "wp-config.php",
        "<?php\ndefine( 'DB_PASSWORD', getenv('DB_PASSWORD') );\ndefine( 'AUTH_KEY', 'put your unique phrase here' );\ndefine( 'NONCE_SALT', 'put your unique phrase here' );\n$table_prefix = 'wp_';\n",
    ),
    (
        "programs",
        "appsettings.json",
        "{\n  \"ConnectionStrings\": { \"Default\": \"Server=db;Database=shop;Integrated Security=true;\" },\n  \"Jwt\": { \"Issuer\": \"https://login.shop.internal\", \"Audience\": \"shop-api\", \"TokenLifetimeMinutes\": 60 },\n  \"ApiKeyHeaderName\": \"X-Api-Key\"\n}\n",
    ),
    ("programs", "connection.js", "var a='password=r.x;user=e.user;';n.password=r.x;t.database=e;o.pwd=i.value;\n"),
    (
        "schemas",
        "openapi.yaml",
        "components:\n  schemas:\n    Login:\n      properties:\n        password:\n          type: string\n          format: password\n          example: correct-horse\n          minLength: 12\n        token:\n          type: string\n          description: The access token\n  securitySchemes:\n    apiKey: {type: apiKey, in: header, name: X-Api-Key}\n    oauth:\n      type: oauth2\n      flows: {clientCredentials: {tokenUrl: 'https://login.shop.internal/token', scopes: {}}}\n",
    ),
    (
        "schemas",
        "schema.sql",
        "CREATE TABLE users (id uuid PRIMARY KEY, password varchar(255) NOT NULL, api_token text, secret_key bytea DEFAULT gen_random_bytes(32));\nCREATE UNIQUE INDEX users_api_token_key ON users (api_token);\n",
    ),
    (
        "schemas",
        "schema.graphql",
        "type Mutation { login(password: String!, token: String): AuthPayload! resetPassword(secret: String!): Boolean }\n",
    ),
    (
        "schemas",
        "variables.tf",
        "variable \"db_password\" {\n  type      = string\n  sensitive = true\n}\nresource \"random_password\" \"db\" {\n  length = 32\n}\nresource \"aws_db_instance\" \"db\" {\n  password = random_password.db.result\n  username = var.db_username\n}\ndata \"aws_secretsmanager_secret\" \"x\" { name = \"prod/shop/db-password\" }\n",
    ),
    (
        "schemas",
        "config.proto",
        "message Credentials { string password = 1; string access_token = 2; bytes secret_key = 3; }\n",
    ),
    (
        "references",
        "deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      serviceAccountName: shop\n      automountServiceAccountToken: false\n      containers:\n      - env:\n        - name: DB_PASSWORD\n          valueFrom:\n            secretKeyRef: {name: shop-db, key: password}\n        - name: API_TOKEN\n          valueFrom:\n            secretKeyRef:\n              name: shop-api-credentials\n              key: token\n        envFrom:\n        - secretRef: {name: shop-env-secret}\n      imagePullSecrets: [{name: registry-credentials}]\n",
    ),
    (
        "references",
        "docker-compose.yml",
        "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: ${DB_PASSWORD}\n      POSTGRES_PASSWORD_FILE: /run/secrets/db_password\n      MYSQL_ROOT_PASSWORD: ${MYSQL_ROOT_PASSWORD:?}\n    secrets: [db_password]\nsecrets:\n  db_password:\n    file: ./secrets/db_password.txt\n",
    ),
    (
        "references",
        "ci.yml",
        "jobs:\n  release:\n    steps:\n    - uses: docker/login-action@v3\n      with:\n        username: ${{ github.actor }}\n        password: ${{ secrets.GITHUB_TOKEN }}\n    - run: npm publish\n      env:\n        NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}\n        AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET_ACCESS_KEY }}\n",
    ),
    (
        "references",
        "external-secret.yaml",
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata:\n  name: shop-db\nspec:\n  secretStoreRef: {name: vault, kind: ClusterSecretStore}\n  data:\n  - secretKey: password\n    remoteRef: {key: secret/data/shop/db, property: password}\n",
    ),
    (
        "references",
        "sealed.yaml",
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: db\nspec:\n  encryptedData:\n    password: AgBy8hCi8w8Ql2d9sDkGb0m8yEJ0ks0oVb1oQxKk9mJ5xU3nT2wR7pZ6aC4vF1eH0iL8uY5tN3qS2dG9jM7kX6bW4zP1oAgBy8hCi8w8Ql2d9\n",
    ),
    (
        "references",
        "sops.yaml",
        "db:\n    password: ENC[AES256_GCM,data:Zm9vYmFyYmF6cXV4,iv:MDEyMzQ1Njc4OWFiY2RlZg==,tag:ZmVkY2JhOTg3NjU0MzIxMA==,type:str]\nsops:\n    age:\n        - recipient: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n    mac: ENC[AES256_GCM,data:YWJjZGVmZ2hpamtsbW5vcA==,iv:MDEyMzQ1Njc4OWFiY2RlZg==,tag:ZmVkY2JhOTg3NjU0MzIxMA==,type:str]\n",
    ),
    (
        "references",
        "vault.yml",
        "$ANSIBLE_VAULT;1.1;AES256\n62313365396662343061393464336163383764373764613633653634306231386433626436623361\n6134333665353966363534333632666535333761666131620a663537646436643839616531643561\n63396265333963386166373632626539326166353965363262633030333630313338646335303630\n",
    ),
    (
        "references",
        "group_vars.yml",
        "db_password: !vault |\n          $ANSIBLE_VAULT;1.2;AES256;prod\n          62313365396662343061393464336163383764373764613633653634306231386433626436623361\n          6134333665353966363534333632666535333761666131620a663537646436643839616531643561\n",
    ),
    (
        "references",
        ".npmrc",
        "//registry.shop.internal/:_authToken=${NPM_TOKEN}\n//npm.shop.internal/:_password=${NPM_PASSWORD}\nalways-auth=true\nregistry=https://registry.shop.internal/\n",
    ),
    ("references", ".yarnrc.yml", "npmScopes:\n  shop:\n    npmAuthToken: \"${NPM_TOKEN-}\"\n"),
    (
        "references",
        ".pypirc",
        "[distutils]\nindex-servers = shop\n[shop]\nusername = __token__\npassword = ${PYPI_TOKEN}\n",
    ),
    ("references", "pip.conf", "[global]\nindex-url = https://${PIP_USER}:${PIP_PASS}@pypi.shop.internal/simple\n"),
    (
        "references",
        ".m2/settings.xml",
        "<settings><servers><server><id>shop</id><username>${env.USER}</username><password>${env.MAVEN_PASSWORD}</password></server></servers></settings>\n",
    ),
    (
        "references",
        "NuGet.Config",
        "<configuration><packageSourceCredentials><shop><add key=\"Username\" value=\"ci\" /><add key=\"ClearTextPassword\" value=\"%NUGET_TOKEN%\" /></shop></packageSourceCredentials></configuration>\n",
    ),
    ("references", "gradle.properties", "org.gradle.jvmargs=-Xmx2g\nsigning.keyId=\nnexusPassword=${NEXUS_PASSWORD}\n"),
    (
        "references",
        ".docker/config.json",
        "{\n  \"auths\": {\"registry.shop.internal\": {}},\n  \"credsStore\": \"ecr-login\",\n  \"credHelpers\": {\"gcr.io\": \"gcloud\"}\n}\n",
    ),
    (
        "references",
        ".kube/config",
        "apiVersion: v1\nkind: Config\nusers:\n- name: ops\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: aws\n      args: [eks, get-token, --cluster-name, shop]\nclusters:\n- name: shop\n  cluster:\n    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUI=\n    server: https://k8s.shop.internal\n",
    ),
    (
        "references",
        ".git/config",
        "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = https://git.shop.internal/shop/api.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[remote \"ssh\"]\n\turl = ssh://git@git.shop.internal:2222/shop/api.git\n[credential]\n\thelper = store\n",
    ),
    ("references", ".netrc", "machine git.shop.internal\n  login ci\n"),
    (
        "references",
        ".aws/config",
        "[default]\nregion = eu-west-1\ncredential_process = /opt/bin/aws-creds\n[profile sso]\nsso_start_url = https://shop.awsapps.com/start\nsso_role_name = Admin\n",
    ),
    (
        "references",
        "wg0.conf",
        "[Interface]\nPostUp = wg set %i private-key /etc/wireguard/private.key\n[Peer]\nAllowedIPs = 10.0.0.0/8\n",
    ),
    (
        "references",
        "requirements.txt",
        "--index-url https://pypi.shop.internal/simple\npasslib==1.7.4\npyjwt[crypto]==2.8.0\ntoken-bucket==0.3.0\ngit+https://github.com/shop/secret-tools.git@v1.2.3#egg=secret-tools\n",
    ),
    (
        "accounts that can not log in",
        "etc/shadow",
        "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\napp:!:19500:0:99999:7:::\nops:!!:19500::::::\nx:!*:19500::::::\n",
    ),
    (
        "accounts that can not log in",
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n",
    ),
    ("accounts that can not log in", "etc/gshadow", "root:*::\nshadow:!::\n"),
    (
        "documents",
        "README.md",
        "# Setup\n\nSet `DB_PASSWORD=<your-password>` and `API_KEY=your-api-key` in `.env`.\n\n```sh\nexport AWS_SECRET_ACCESS_KEY=...\ncurl -u user:password https://example.com/\ncurl -H 'Authorization: Bearer <token>' https://api.example.com/\npsql postgres://user:password@localhost/db\ngit clone https://username:password@github.com/owner/repo.git\nmysql://user:pass@host:3306/db\n```\n",
    ),
    (
        "documents",
        "ADDRESSES.md",
        "See https://user:password@example.com, http://foo:bar@localhost:8080/, postgres://USER:PASSWORD@HOST:PORT/NAME, redis://:${REDIS_PASSWORD}@cache:6379, https://[user[:password]@]host, amqp://guest:guest@localhost, mongodb://<username>:<password>@cluster0.mongodb.net, ftp://anonymous:anonymous@ftp.example.com\n",
    ),
    (
        "documents",
        "manual.1",
        ".TH CURL 1\n.IP \"-u, --user <user:password>\"\nSpecify the user name and password to use.\n curl -u user:password https://example.com\n.IP \"--password <secret>\"\nAs --token=SECRET.\n",
    ),
    (
        "documents",
        "CONTRIBUTING.md",
        "Never commit a token such as ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx or AKIAXXXXXXXXXXXXXXXX. Use sk-ant-api03-... from the vault.\n",
    ),
    (
        "documents",
        "test_parser.py",
        "CASES = [\n    ('https://user:pass@host/', 'user', 'pass'),\n    ('https://u:p@h', 'u', 'p'),\n    ('postgres://scott:tiger@localhost/test', 'scott', 'tiger'),\n]\n",
    ),
    (
        "settings",
        "nginx.conf",
        "server {\n  listen 443 ssl;\n  ssl_certificate /etc/nginx/tls.crt;\n  ssl_certificate_key /etc/nginx/tls.key;\n  auth_basic_user_file /etc/nginx/htpasswd;\n  proxy_set_header Authorization $http_authorization;\n  secure_link_secret $arg_secret;\n}\n",
    ),
    (
        "settings",
        "pg_hba.conf",
        "# TYPE DATABASE USER ADDRESS METHOD\nlocal all all peer\nhost all all 127.0.0.1/32 scram-sha-256\nhost replication all ::1/128 password\n",
    ),
    (
        "settings",
        "pam.conf",
        "password requisite pam_deny.so\npassword [success=1 default=ignore] pam_unix.so obscure yescrypt\nauth required pam_permit.so\n",
    ),
    (
        "settings",
        "sshd_config",
        "PasswordAuthentication no\nHostKey /etc/ssh/ssh_host_ed25519_key\nAuthorizedKeysFile .ssh/authorized_keys\nPermitEmptyPasswords no\nKeyAlgorithms ssh-ed25519-cert-v01@openssh.com\n",
    ),
    (
        "settings",
        "application.yml",
        "spring:\n  datasource:\n    url: jdbc:postgresql://db:5432/shop\n    username: shop\n    password: ${DB_PASSWORD:}\n  security:\n    oauth2:\n      client:\n        registration:\n          shop: {client-id: shop, client-secret: '${OAUTH_SECRET}', authorization-grant-type: client_credentials}\nmanagement.endpoint.env.keys-to-sanitize: password,secret,key,token,.*credentials.*\n",
    ),
    (
        "settings",
        "my.cnf",
        "[client]\nport = 3306\nsocket = /run/mysqld/mysqld.sock\n[mysqld]\nuser = mysql\ndefault_authentication_plugin = caching_sha2_password\n",
    ),
    (
        "settings",
        "openssl.cnf",
        "[ req ]\ndefault_keyfile = privkey.pem\ninput_password = secret\noutput_password = secret\nchallengePassword = A challenge password\nchallengePassword_min = 4\n",
    ),
    (
        "settings",
        "keymap.json",
        "{\"keys\": [{\"key\": \"ctrl+shift+k\", \"command\": \"editor.action.deleteLines\"}, {\"key\": \"ctrl-k ctrl-c\", \"command\": \"addCommentLine\"}], \"keyBinding\": \"C-x C-s M-x\"}\n",
    ),
    (
        "settings",
        ".env.example",
        "DB_PASSWORD=\nAPI_KEY=your-key-here\nSECRET_KEY_BASE=generate-with-rails-secret\nJWT_SECRET=super-secret-jwt-token-change-me\nSTRIPE_KEY=sk_test_...\nREDIS_URL=redis://localhost:6379/0\nDATABASE_URL=postgres://user:password@localhost:5432/dev\n",
    ),
    (
        "settings",
        ".env",
        "NODE_ENV=production\nPORT=8080\nLOG_LEVEL=info\nTOKEN_LIFETIME=3600\nPASSWORD_POLICY=strict\nSESSION_COOKIE=__Host-session\nDB_PASSWORD=\nAPI_KEY=\"\"\n",
    ),
    (
        "settings",
        "sudoers",
        "Defaults passwd_timeout=0\nDefaults secure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\nDefaults passprompt=\"[sudo] password for %p: \"\n",
    ),
];
