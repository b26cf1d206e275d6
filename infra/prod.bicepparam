using 'main.bicep'

param stage = 'prod'
param instanceMemoryMB = 4096
param maximumInstanceCount = 100
param jobRetentionDays = 30
param logRetentionDays = 90
param logDailyCapGb = 20
param monthlyBudget = 500
