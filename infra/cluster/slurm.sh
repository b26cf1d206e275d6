#!/usr/bin/env bash
# Workers as a job array of Slurm:
#
#     sbatch --array=1-50 infra/cluster/slurm.sh
#
# `skyblast cluster slurm` needs no script; --script takes one like this, with what a site adds.
#
# --requeue: a job that is preempted starts again; what it was at is done by others meanwhile.
#SBATCH --job-name=skyblast-worker
#SBATCH --cpus-per-task=8
#SBATCH --mem-per-cpu=2G
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@60
#SBATCH --requeue
#SBATCH --output=skyblast-worker-%A_%a.log
set -euo pipefail
# Slurm runs a copy of this file; it tells where it was submitted.
cd "${SLURM_SUBMIT_DIR:-.}"
# As the step, the worker gets the signal itself. Since Slurm 22.05 a step does not take over how many cores a task has.
exec srun --ntasks=1 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" "${SKYBLAST_CLUSTER:-infra/cluster}/worker.sh"
