using 'main.bicep'

param stage = 'dev'
param instanceMemoryMB = 2048
param maximumInstanceCount = 40
param jobRetentionDays = 7
param logDailyCapGb = 1
