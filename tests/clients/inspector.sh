#!/usr/bin/env bash
# The MCP Inspector, strict, against the built binary: inspector.sh BINARY stdio
# Over HTTP (MCP_URL, MCP_API_KEY and DATA name a running server): inspector.sh BINARY http
set -euo pipefail
binary=$(realpath "$1")
transport=$2
tools=$(realpath target/node-tools/node_modules)
export PATH="$tools/node/bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $transport in
  stdio) export MLOPS_HOME="$work/home"; data=examples/penguins.csv; server=("$binary" mcp --stdio); options=() ;;
  http) data=$DATA; server=("$MCP_URL"); options=(--transport http --header "X-API-Key: $MCP_API_KEY") ;;
  *) echo "the transport is stdio or http" >&2; exit 2 ;;
esac

inspect() { node "$tools/.bin/mcp-inspector" --cli "${server[@]}" "${options[@]}" "$@"; }
field() { python3 -c "import json,sys; value=json.load(open(sys.argv[1])); print($2)" "$1"; }

inspect --strict --method tools/list >"$work/tools.json" 2>"$work/complaints"
if [ -s "$work/complaints" ]; then cat "$work/complaints" >&2; exit 1; fi
listed=$(field "$work/tools.json" 'len(value["tools"])')
named=$("$binary" tools --json | python3 -c 'import json,sys; print(*sorted(tool["name"] for tool in json.load(sys.stdin)["tools"]))')
missing=$(field "$work/tools.json" "*sorted(set('$named'.split()) - {tool['name'] for tool in value['tools']})")
[ -z "$missing" ] || { echo "the Inspector does not list $missing" >&2; exit 1; }

inspect --method tools/call --tool-name load_dataset --tool-arg "uri=$data" >"$work/call.json"
[ "$(field "$work/call.json" 'value["structuredContent"]["num_rows"]')" = 344 ]
inspect --method tools/call --tool-name split_dataset --tool-arg "dataset_s3_uri=$data" --tool-arg target_column=species >"$work/split.json"
uri=$(field "$work/split.json" 'next(block["uri"] for block in value["content"] if block["type"] == "resource_link")')
inspect --method resources/list >"$work/resources.json"
[ "$(field "$work/resources.json" "any(one['uri'] == '$uri' for one in value['resources'])")" = True ]
inspect --method resources/read --uri "$uri" >"$work/read.json"
[ "$(field "$work/read.json" 'len(value["contents"])')" = 1 ]
inspect --method resources/templates/list >/dev/null
inspect --method prompts/list >"$work/prompts.json"
echo "Inspector, $transport: $listed tools, $(field "$work/prompts.json" 'len(value["prompts"])') prompts, strict, no complaint"
