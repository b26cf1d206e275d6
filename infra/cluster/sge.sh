#!/usr/bin/env bash
# Workers as an array of tasks of Grid Engine (`smp` is what the site calls its parallel environment for one node):
#
#     qsub -t 1-50 infra/cluster/sge.sh
#$ -N skyblast-worker
#$ -pe smp 8
#$ -l h_rt=12:00:00
#$ -r y
#$ -cwd
#$ -j y
#$ -notify
set -euo pipefail
# The warning of -notify is SIGUSR2 here, and the worker's word for it is SIGTERM.
"${SKYBLAST_CLUSTER:-infra/cluster}/worker.sh" &
worker=$!
trap 'kill -TERM $worker' USR1 USR2 TERM
until wait "$worker"; do
    code=$?
    # A signal ends the wait, not the worker.
    kill -0 "$worker" 2>/dev/null || exit "$code"
done
