#!/usr/bin/env bash
# Creates a release whose files are links, or updates it. Needs bash 3.2 and curl 7.76, or newer.
set -euo pipefail
# A trace would print the token.
set +x
# Text is handled byte by byte.
LC_ALL=C

usage='Usage: publish.sh [OPTION]... PROJECT TAG [NAME=URL[,path=PATH][,type=TYPE][,file=FILE]]...

Creates the release TAG of PROJECT with these links, or updates it. Run it again at any time: links
with the same names, URLs or paths become what you name here, and everything else stays.

  PROJECT        full path or number of the project, for example mygroup/app
  TAG            for example v1.0.0
  NAME=URL       a link, for example app=https://files.example.com/1.0.0/app
    ,path=PATH   path of its permanent download URL [default: /NAME if that is a valid path]. For
                 none, give an empty one: path=
    ,type=TYPE   package, image, runbook or other [default: other]
    ,file=FILE   a local copy of the file: the link gets its SHA-256 and its size

  --name NAME          title of the release, for example "App 1.0"
  --notes TEXT         release notes, in Markdown
  --notes-file FILE    release notes from a file, for example CHANGELOG.md
  --ref SHA            commit of a new release
  --released-at TIME   for example 2026-01-31T12:00:00Z [default: of a new release, now]. The latest
                       release is the one with the newest time

  RELEASE_LINKS_URL        URL of the server [default: http://127.0.0.1:3000]
  RELEASE_LINKS_TOKEN      access token, or
  RELEASE_LINKS_JOB_TOKEN  job token

Example:
  publish.sh --notes-file CHANGELOG.md mygroup/app v1.0.0 \
      app=https://files.example.com/1.0.0/app,path=/bin/app,type=package'

fail() { # MESSAGE [EXIT_CODE]
    printf 'publish.sh: %s\n' "$1" >&2
    exit "${2-1}"
}

percent_encode() { # TEXT
    local text=$1 char i
    for ((i = 0; i < ${#text}; i++)); do
        char=${text:i:1}
        case $char in
        [A-Za-z0-9._~-]) printf %s "$char" ;;
        # Some versions of bash give bytes above 127 a negative number.
        *) printf '%%%02X' $(($(printf %d "'$char") & 255)) ;;
        esac
    done
}

json_string() { # TEXT
    local text=$1 char
    text=${text//\\/\\\\}
    text=${text//\"/\\\"}
    text=${text//$'\n'/\\n}
    text=${text//$'\t'/\\t}
    text=${text//$'\r'/\\r}
    printf '"%s"' "$text"
}

# The digest and the size of a file, as members of a JSON object.
describe() { # FILE
    local sum=(sha256sum) digest size
    [[ -f $1 && -r $1 ]] || fail "cannot read $1" 2
    # macOS has another program.
    command -v sha256sum >/dev/null || sum=(shasum -a 256)
    digest=$("${sum[@]}" <"$1")
    size=$(wc -c <"$1")
    printf ',"digest":"sha256:%s","size":%d' "${digest%% *}" "$size"
}

fields='' arguments=() links=()
while (($#)); do
    case $1 in
    --help) printf '%s\n' "$usage" && exit ;;
    --name | --notes | --notes-file | --ref | --released-at)
        (($# > 1)) || fail "$1 needs a value (see publish.sh --help)" 2
        case $1 in
        --name) fields+=",\"name\":$(json_string "$2")" ;;
        --notes) fields+=",\"description\":$(json_string "$2")" ;;
        --notes-file)
            [[ -r $2 ]] || fail "cannot read $2" 2
            fields+=",\"description\":$(json_string "$(<"$2")")"
            ;;
        --ref) fields+=",\"ref\":$(json_string "$2")" ;;
        --released-at) fields+=",\"released_at\":$(json_string "$2")" ;;
        esac
        shift
        ;;
    -*) fail "unknown option $1 (see publish.sh --help)" 2 ;;
    *) arguments+=("$1") ;;
    esac
    shift
done
((${#arguments[@]} >= 2)) || fail 'PROJECT and TAG are required (see publish.sh --help)' 2
project=${arguments[0]} tag=${arguments[1]}

valid_path='^/[A-Za-z0-9._-][A-Za-z0-9._/-]+[A-Za-z0-9]$'
for link in "${arguments[@]:2}"; do
    # A name may have an equals sign.
    [[ $link =~ =[A-Za-z]+:// ]] ||
        fail "expected NAME=URL, for example app=https://files.example.com/app: $link" 2
    name=${link%%"${BASH_REMATCH[0]}"*}
    url=${link:${#name}+1} path=/$name type=other contents=''
    [[ $path =~ $valid_path && $path != *//* ]] || path=''
    while [[ $url =~ ^(.*),(path|type|file)=([^,]*)$ ]]; do
        url=${BASH_REMATCH[1]}
        case ${BASH_REMATCH[2]} in
        path) path=${BASH_REMATCH[3]} ;;
        type) type=${BASH_REMATCH[3]} ;;
        file) contents=$(describe "${BASH_REMATCH[3]}") || exit ;;
        esac
    done
    name=$(json_string "$name")
    [[ -z $path ]] && path=null || path=$(json_string "$path")
    links+=("{\"name\":$name,\"url\":$(json_string "$url"),\"direct_asset_path\":$path,\"link_type\":$(json_string "$type")$contents}")
done

server=${RELEASE_LINKS_URL:-http://127.0.0.1:3000}
# The greeting of the server and other clients have the URL of the API.
server=${server%/}
server=${server%/api/v4}
if [[ -n ${RELEASE_LINKS_TOKEN-} ]]; then
    credentials="Authorization: Bearer $RELEASE_LINKS_TOKEN"
elif [[ -n ${RELEASE_LINKS_JOB_TOKEN-} ]]; then
    credentials="JOB-TOKEN: $RELEASE_LINKS_JOB_TOKEN"
else
    fail 'set RELEASE_LINKS_TOKEN to an access token' 2
fi

all=$(IFS=, && printf %s "${links[*]-}")
request="$server/api/v4/projects/$(percent_encode "$project")/releases"
# The token goes through a file descriptor: every user of the machine can read a command line.
response=$(curl --disable --silent --show-error --globoff --proto '=http,https' --max-time 60 \
    --header 'Content-Type: application/json' --data-binary @- \
    --config <(printf 'header = "%s"\n' "$credentials") --write-out '\n%{http_code}' -- "$request" \
    <<<"{\"tag_name\":$(json_string "$tag")$fields,\"on_duplicate\":\"replace\",\"assets\":{\"links\":[$all]}}") ||
    fail "no response from $server"
body=${response%$'\n'*}
status=${response##*$'\n'}
[[ $status == 201 ]] || fail "POST $request: $status $body"

printf 'published %s of %s\n' "$tag" "$project"
# A quote inside a JSON string is escaped, so these keys are never part of one.
if [[ $body =~ \"self\":\"([^\"]*)\" ]]; then
    printf '%s\n' "${BASH_REMATCH[1]}"
fi
