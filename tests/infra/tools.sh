# For the scripts beside it: their surroundings, and the programs that they install.

export AWS_DEFAULT_REGION=eu-central-1
# No credentials are needed, and none of a machine's own are looked for.
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_EC2_METADATA_DISABLED=true
export SAM_CLI_TELEMETRY=0
# Nothing is left among the sources.
export PYTHONDONTWRITEBYTECODE=1
work=$PWD/target/infra
# A failed installation ends the script, although it runs in a command substitution.
shopt -s inherit_errexit

# Prints the folder of the programs that a file of pins names. The file lists every package: pip itself
# would refuse the extras that some of them ask for.
programs() { # PINS
    local folder
    folder=$work/$(basename "$1" .txt)
    # The pins are copied last, so that an installation that was cut off does not count.
    if ! cmp --silent "$1" "$folder/pins"; then
        python3 -m venv --clear "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check \
            --no-deps --require-hashes --requirement "$1" >&2
        cp "$1" "$folder/pins"
    fi
    echo "$folder/bin"
}
