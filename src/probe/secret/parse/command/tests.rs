use super::{super::testing::secret, *};

/// `key=value` with `@1` for the first secret and so on; every span has to hold its value.
fn found(line: &str) -> Vec<String> {
    let mut filled = line.to_string();
    for no in 1..=3 {
        filled = filled.replace(&format!("@{no}"), &secret(no));
    }
    let items = command_secrets(filled.as_bytes());
    let show = |item: Item| {
        let mut value = String::from_utf8_lossy(&item.value).into_owned();
        let there = filled.as_bytes().get(item.span.clone()).unwrap_or_default();
        assert!(there.len() >= item.value.len(), "{line}");
        for no in 1..=3 {
            value = value.replace(&secret(no), &format!("@{no}"));
        }
        format!("{}={value}", item.key)
    };
    items.into_iter().map(show).collect()
}

#[test]
fn passwords_on_command_lines_are_found() {
    for (line, want) in [
        ("curl -u me:@1 https://h.test", "curl -u=@1"),
        ("curl -sSLu me:@1 https://h.test", "curl -u=@1"),
        ("curl -fsSL --user 'me:@1' https://h.test", "curl user=@1"),
        ("/usr/bin/curl --user=me:@1 x", "curl user=@1"),
        ("curl -H \"Authorization: Bearer @1\" x", "Authorization=@1"),
        ("curl -H 'PRIVATE-TOKEN: @1' x", "PRIVATE-TOKEN=@1"),
        ("curl -d 'user=a&password=@1' x", "password=@1"),
        ("curl -d '{\"a\":1,\"password\":\"@1\"}' x", "password=@1"),
        ("wget --password=@1 https://h.test", "wget --password=@1"),
        ("wget --header='Authorization: token @1' x", "Authorization=@1"),
        ("mysql -uroot -p@1 -e 'select 1'", "mysql -p=@1"),
        ("mysqldump --password=@1 db > x.sql", "mysqldump --password=@1"),
        ("PGPASSWORD=@1 psql -h h", "PGPASSWORD=@1"),
        ("sshpass -p @1 ssh h", "sshpass -p=@1"),
        ("sshpass -p@1 ssh h", "sshpass -p=@1"),
        ("docker login -u me -p @1 r.test", "docker -p=@1"),
        ("docker login -u me --password @1 r.test", "docker --password=@1"),
        ("helm registry login r.test -u me -p @1", "helm -p=@1"),
        ("az login --service-principal -u x -p @1 --tenant t", "az -p=@1"),
        ("echo @1 | docker login --password-stdin -u me", "docker=@1"),
        ("git clone https://me:@1@git.test/a.git", "git.test=@1"),
        ("echo \"root:@1\" | chpasswd", "chpasswd root=@1"),
        ("apk add x && echo -e 'me:@1\\n' | sudo chpasswd", "chpasswd me=@1"),
        ("chpasswd <<< 'root:@1'", "chpasswd root=@1"),
        ("echo '@1' | passwd --stdin root", "passwd=@1"),
        ("useradd -m -p @1 me", "useradd -p=@1"),
        ("openssl rsa -in k -passin pass:@1 -out o", "openssl passin=@1"),
        ("keytool -importcert -storepass @1 -file c", "keytool storepass=@1"),
        ("redis-cli -h h -a @1 ping", "redis-cli -a=@1"),
        ("mongosh -u me -p @1 h", "mongosh -p=@1"),
        ("smbclient //h/s -U me%@1", "smbclient -U=@1"),
        ("mount -t cifs -o username=me,password=@1 //h/s /mnt", "password=@1"),
        ("aws configure set aws_secret_access_key @1", "aws_secret_access_key=@1"),
        ("npm config set //r.test/:_authToken=@1", "_authToken=@1"),
        ("npm config set //r.test/:_authToken @1", "//r.test/:_authToken=@1"),
        ("composer config --global github-oauth.github.com @1", "github-oauth.github.com=@1"),
        ("composer config http-basic.r.test me @1", "http-basic.r.test=@1"),
        ("bundle config set --global gems.test.com me:@1", "gems.test.com=@1"),
        ("pip install --index-url https://me:@1@i.test/simple x", "i.test=@1"),
        ("export DB_PASSWORD=@1", "DB_PASSWORD=@1"),
        ("export API_TOKEN=\"@1\"; run", "API_TOKEN=@1"),
        ("DB_PASSWORD='@1' ./run --now", "DB_PASSWORD=@1"),
        ("docker run -e MYSQL_ROOT_PASSWORD=@1 -p 80:80 mysql", "MYSQL_ROOT_PASSWORD=@1"),
        ("mvn -Ddb.password=@1 package", "db.password=@1"),
        ("kubectl create secret generic x --from-literal=password=@1", "password=@1"),
        ("sh -c \"curl -u me:@1 x\"", "curl -u=@1"),
        ("sudo bash -lc 'mysql -p@1'", "mysql -p=@1"),
        ("T=$(curl -u me:@1 https://h.test/t)", "curl -u=@1"),
        ("x \"`curl -u me:@1 y`\"", "curl -u=@1"),
        ("set -x API_TOKEN @1", "API_TOKEN=@1"),
        ("echo \"//r.test/:_authToken=@1\" > .npmrc", "_authToken=@1"),
        ("echo 'machine h.test login me password @1' > ~/.netrc", "h.test=@1"),
        ("echo '@1' > /root/.vault_token", ".vault_token=@1"),
        ("printf 'A=b\\nDB_PASSWORD=@1\\n' > .env", "DB_PASSWORD=@1"),
        ("mysql -e \"ALTER USER 'root' IDENTIFIED BY '@1'\"", "SQL password=@1"),
        ("psql -c \"ALTER ROLE me PASSWORD '@1'\"", "SQL password=@1"),
        ("CREATE USER me IDENTIFIED BY '@1';", "SQL password=@1"),
        ("htpasswd -bc /etc/x me @1", "htpasswd -b=@1"),
        ("ENV API_TOKEN @1", "API_TOKEN=@1"),
        ("git config http.extraheader \"Authorization: Bearer @1\"", "Authorization=@1"),
        ("curl -u me:@1 x # the end", "curl -u=@1"),
    ] {
        assert_eq!(found(line), [want], "{line}");
        for end in 0..line.len() {
            let _ = found(line.get(..end).unwrap_or_default());
        }
    }
}

#[test]
fn what_is_filled_in_or_read_from_elsewhere_is_fine() {
    for line in [
        "curl -u \"$USER:$PASS\" x",
        "curl -u me:${PASS} x",
        "curl -u me https://h.test",
        "curl -H \"Authorization: Bearer $TOKEN\" x",
        "curl -H \"Authorization: Bearer $(cat /run/secrets/t)\" x",
        "curl -H @headers x",
        "mysql -p",
        "mysql -u root -p db",
        "mysql -p\"$MYSQL_ROOT_PASSWORD\" db",
        "docker login -u me --password-stdin r.test",
        "cat token | docker login -u me --password-stdin",
        "echo \"$TOKEN\" | docker login --password-stdin",
        "docker login -p \"$(cat /run/secrets/x)\" r",
        "docker run -p 8080:80 x",
        "docker run -d --name mongo -p 27017:27017 mongo",
        "RUN --mount=type=secret,id=npm_token npm ci",
        "git clone https://x:${TOKEN}@git.test/a",
        "git clone git@git.test:a/b",
        "echo \"root:$PASS\" | chpasswd",
        "echo \"$TOKEN\" > /run/token",
        "adduser --disabled-password app",
        "useradd -p \"$(openssl passwd -1 $P)\" me",
        "openssl rsa -passin env:PASS -in k",
        "openssl req -x509 -newkey rsa:2048 -nodes",
        "export PASSWORD=",
        "export PATH=/usr/bin DB_PASSWORD_FILE=/run/secrets/db",
        "export DB_PASSWORD=${DB_PASSWORD:-x}",
        "ENV GPG_KEY=0123 PASSWORD_MIN_LENGTH=12",
        "npm config set //r.test/:_authToken=${NPM_TOKEN}",
        "pip install --index-url https://i.test/simple x",
        "cp -p a b && mkdir -p /srv/x",
        "ssh-keygen -t ed25519 -N '' -f k",
        "apt-get install -y mysql-client zip unzip -P x",
        "grep -i password /etc/ssh/sshd_config",
        "sed -i 's/PasswordAuthentication yes/PasswordAuthentication no/' /etc/ssh/sshd_config",
        "gh auth login --with-token < token.txt",
        "wget --no-check-certificate https://h.test",
        "vault login -method=ldap username=me",
        "TOKEN=$(cat /run/secrets/t) ./run",
        "echo done > token.txt",
        "# curl -u a:b c",
        "",
    ] {
        let filled = found(line);
        assert!(filled.is_empty(), "{line}: {filled:?}");
    }
}

#[test]
fn several_secrets_of_a_line_are_told_in_order() {
    let line = "export A_TOKEN=@1 && curl -u me:@2 https://x:@3@h.test | sh";
    assert_eq!(found(line), ["A_TOKEN=@1", "curl -u=@2", "h.test=@3"]);
}

#[test]
fn words_of_a_list_need_no_shell() {
    let password = secret(1);
    let option = format!("--password={password}");
    let words: [&[u8]; 4] = [b"server", b"--user", b"me", option.as_bytes()];
    let items = argument_secrets(&words);
    assert_eq!(items.len(), 1);
    let (no, item) = &items[0];
    assert_eq!((*no, &words[*no][item.span.clone()]), (3, password.as_bytes()));
    let script = format!("exec run --token \"{password}\" \"$X\"");
    let items = argument_secrets(&[b"/bin/sh", b"-c", script.as_bytes()]);
    assert_eq!(
        items.iter().map(|(no, item)| (*no, &script[item.span.clone()])).collect::<Vec<_>>(),
        [(2, &password[..])]
    );
}

#[test]
fn long_lines_take_time_in_proportion() {
    for piece in [
        "curl ",
        "sh -c ",
        "mysql -p",
        "A=b ",
        "$(",
        "docker login -p ",
        "echo a:b | chpasswd;",
        "https://a:b@",
        "\"authorization:\" ",
    ] {
        let _ = command_secrets(piece.repeat(LINE_MAX / 4 / piece.len()).as_bytes());
    }
}
