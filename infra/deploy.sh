#!/usr/bin/env bash
# Provisions everything and puts the program there. Running it again changes only what differs.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: infra/deploy.sh --group NAME --location REGION [--stage dev|prod] [--package ZIP] [--what-if]
                       [--set PARAMETER=VALUE]...

  --group NAME       resource group; created if missing
  --location REGION  region of a group that is to be created, such as westeurope
  --stage STAGE      which of infra/*.bicepparam to use [default: dev]
  --package ZIP      deploy this package instead of building one with infra/package.sh
  --what-if          only show what would change
  --set NAME=VALUE   a parameter of infra/main.bicep, such as alertEmail=me@example.org; may be repeated

Needs the Azure CLI 2.61 or newer, signed in (az login) as somebody who may create resources and give roles in the group:
Owner, or Contributor with Role Based Access Control Administrator.

Example:
  infra/deploy.sh --group skyblast-dev --location westeurope --set alertEmail=me@example.org
TEXT
}

fail() {
    echo "infra/deploy.sh: $*" >&2
    exit 1
}

say() { printf '\n== %s\n' "$*" >&2; }

start=$PWD
cd "$(dirname "$0")/.."
group='' location='' stage=dev package='' what_if='' own_operator='' own_budget='' settings=()

while (($#)); do
    case $1 in
        --help | -h) usage && exit ;;
        --what-if) what_if=yes && shift ;;
        --group | --location | --stage | --package | --set)
            (($# > 1)) || fail "$1 needs a value; --help lists the options"
            case $1 in
                --group) group=$2 ;;
                --location) location=$2 ;;
                --stage) stage=$2 ;;
                --package) package=$(cd "$start" && realpath -- "$2") ;;
                --set)
                    [[ $2 == *=* ]] || fail "--set $2: write NAME=VALUE"
                    [[ $2 == operatorPrincipalId=* ]] && own_operator=yes
                    [[ $2 == budgetStart=* ]] && own_budget=yes
                    settings+=("$2")
                    ;;
            esac
            shift 2
            ;;
        *) fail "there is no option $1; --help lists the options" ;;
    esac
done
[[ $group ]] || fail "--group is missing; --help has an example"
parameters=infra/$stage.bicepparam
[[ -f $parameters ]] || fail "there is no $parameters; --stage takes dev or prod"
command -v az >/dev/null || fail "the Azure CLI is needed: https://learn.microsoft.com/cli/azure/install-azure-cli"
az account show --output none 2>/dev/null || fail "not signed in; run: az login"

say "resource group $group"
if [[ $(az group exists --name "$group") != true ]]; then
    [[ $what_if ]] && fail "there is no resource group $group yet, so nothing to compare with; everything would be new"
    [[ $location ]] || fail "there is no resource group $group; give --location to create it"
    az group create --name "$group" --location "$location" --output none
fi

# Whoever deploys may upload databases and look after jobs, unless somebody else is named.
if [[ ! $own_operator ]]; then
    if me=$(az ad signed-in-user show --query id --output tsv 2>/dev/null) && [[ $me ]]; then
        settings+=("operatorPrincipalId=$me")
    else
        echo "no user is signed in; name an operator by --set operatorPrincipalId=… to upload databases" >&2
    fi
fi
# A budget keeps its first day; a later deployment must not move it.
if [[ ! $own_budget ]]; then
    begun=$(az deployment group show --resource-group "$group" --name "skyblast-$stage" \
        --query properties.parameters.budgetStart.value --output tsv 2>/dev/null) || begun=''
    [[ $begun ]] && settings+=("budgetStart=$begun")
fi
deployment=(--resource-group "$group" --template-file infra/main.bicep --parameters "$parameters" "${settings[@]}")

if [[ $what_if ]]; then
    say "what would change"
    az deployment group what-if "${deployment[@]}"
    exit
fi

for provider in Microsoft.App Microsoft.Web Microsoft.Storage Microsoft.OperationalInsights Microsoft.Insights; do
    if [[ $(az provider show --namespace "$provider" --query registrationState --output tsv) != Registered ]]; then
        say "registering $provider in the subscription"
        az provider register --namespace "$provider" --wait
    fi
done

if [[ ! $package ]]; then
    say "building the package"
    infra/package.sh >&2
    package=target/package/app.zip
fi

say "resources (some minutes the first time)"
az deployment group create --name "skyblast-$stage" "${deployment[@]}" --output none
output() {
    az deployment group show --resource-group "$group" --name "skyblast-$stage" \
        --query "properties.outputs.$1.value" --output tsv
}
app=$(output appName)
url=$(output appUrl)

say "program"
az functionapp deployment source config-zip --resource-group "$group" --name "$app" --src "$package" --output none

say "waiting for $url/api/health"
healthy=''
for _ in {1..60}; do
    curl --silent --fail --max-time 60 "$url/api/health" && healthy=yes && break
    sleep 5
done
[[ $healthy ]] || fail "the app does not answer; roles take some minutes to work, so look again:
  curl $url/api/health
and if it goes on: docs/operations.md, \"The app does not answer\""

cat <<TEXT


skyblast is at $url

Next, a database and a search:
  export SKYBLAST_SERVER=$url
  export SKYBLAST_KEY=\$(az functionapp keys list -g $group -n $app --query functionKeys.default -o tsv)
  export SKYBLAST_BLOB_ENDPOINT=$(output blobEndpoint)
  export SKYBLAST_QUEUE_ENDPOINT=$(output queueEndpoint)
  skyblast makedb --in examples/database.fa.gz --out examples.db --volume-size $(output volumeSize)
  skyblast databases add examples --from examples.db
  skyblast submit --query examples/queries.fa --database examples --wait
TEXT
