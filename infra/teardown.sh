#!/usr/bin/env bash
# Deletes a deployment with everything in it: databases, jobs, logs.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: infra/teardown.sh --group NAME [--yes] [--all]

Deletes the resource group NAME after showing what is in it. Databases, jobs and logs are gone for good.

  --yes  do not ask
  --all  also when the group holds resources that are not skyblast's
TEXT
}

fail() {
    echo "infra/teardown.sh: $*" >&2
    exit 1
}

group='' yes='' all=''
while (($#)); do
    case $1 in
        --help | -h) usage && exit ;;
        --yes) yes=yes && shift ;;
        --all) all=yes && shift ;;
        --group)
            (($# > 1)) || fail "--group needs a value"
            group=$2
            shift 2
            ;;
        *) fail "there is no option $1; --help lists the options" ;;
    esac
done
[[ $group ]] || fail "--group is missing; --help lists the options"
command -v az >/dev/null || fail "the Azure CLI is needed: https://learn.microsoft.com/cli/azure/install-azure-cli"
az account show --output none 2>/dev/null || fail "not signed in; run: az login"
if [[ $(az group exists --name "$group") != true ]]; then
    echo "there is no resource group $group; nothing to do"
    exit
fi

az resource list --resource-group "$group" --output table --query "[].{name: name, type: type}"
# Every resource of the templates that can have tags has this one. The others belong to one that has, or are made by
# Azure itself: the interfaces of private endpoints, and what Application Insights brings with it.
foreign=$(az resource list --resource-group "$group" --output tsv --query "[?tags.workload == null \
    && !contains(type, '/privateDnsZones/') && !contains(type, '/networkInterfaces') \
    && !contains(type, 'martDetectorAlertRules') && !contains(type, 'martdetectoralertrules') \
    && !contains(type, '/actionGroups') && !contains(type, '/actiongroups')].name")
if [[ $foreign && ! $all ]]; then
    fail "the group holds resources that are not skyblast's: ${foreign//$'\n'/, }; delete skyblast's one by one, or give --all"
fi
if [[ ! $yes ]]; then
    read -rp "Delete all of this? Type the group's name: " answer
    [[ $answer == "$group" ]] || fail "nothing was deleted"
fi
az group delete --name "$group" --yes
echo "$group is deleted"
