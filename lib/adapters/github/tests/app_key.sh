#!/usr/bin/env bash
# Makes the keys of these tests, and the token that openssl signs for the app 123 at 2026-01-02T12:00:00Z.
set -euo pipefail
cd "$(dirname "$0")"
openssl genrsa -traditional -out app_key.pem 2048 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out elliptic_key.pem
for key in app_key elliptic_key; do
  { echo 'A key of these tests alone; it opens nothing.'; cat "$key.pem"; } > "$key.told" && mv "$key.told" "$key.pem"
done
encode() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
head=$(printf '{"alg":"RS256","typ":"JWT"}' | encode)
claims=$(printf '{"iss":"123","iat":1767355140,"exp":1767355740}' | encode)
signature=$(printf '%s.%s' "$head" "$claims" | openssl dgst -sha256 -sign app_key.pem -binary | encode)
printf '%s.%s.%s\n' "$head" "$claims" "$signature" > app_token.txt
