#!/usr/bin/env bash
# Workers as a job array of OpenPBS or PBS Professional (Torque: -t for -J):
#
#     qsub -J 1-50 infra/cluster/pbs.sh
#PBS -N skyblast-worker
#PBS -l select=1:ncpus=8:mem=16gb
#PBS -l walltime=12:00:00
#PBS -r y
#PBS -j oe
set -euo pipefail
cd "${PBS_O_WORKDIR:-.}"
exec "${SKYBLAST_CLUSTER:-infra/cluster}/worker.sh"
