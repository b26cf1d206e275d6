// Mail when something needs a person. All rules are questions to the log: the metric of a queue's
// length is hourly and per account, so it cannot watch a poison queue.

@description('Name that the rules begin with.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Who gets the mail.')
param email string

@description('Age in hours from which an unfinished job is worth a mail.')
@minValue(1)
@maxValue(720)
param oldJobHours int

var rules = [
  {
    name: 'poison'
    text: 'A message was given up: a shard or a job has failed for good.'
    severity: 2
    threshold: 0
    query: 'AppRequests | where Name endswith "_poison"'
  }
  {
    name: 'failures'
    text: 'Many calls of functions fail. A few are normal: they are tried again.'
    severity: 3
    threshold: 20
    query: 'AppRequests | where Success == false and Name !endswith "_poison"'
  }
  {
    name: 'unhealthy'
    text: 'The app cannot use its storage: roles, network or settings are wrong.'
    severity: 1
    threshold: 0
    query: 'AppTraces | where Message has "storage is not usable" or Message has "could not sweep"'
  }
  {
    name: 'old-job'
    text: 'A job has not finished for a long time.'
    severity: 3
    threshold: 0
    query: 'AppTraces | where Message has "swept" | extend log = parse_json(Message) | where tolong(log.oldest_seconds) > ${oldJobHours * 3600}'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'skyblast'
    emailReceivers: [
      {
        name: 'operator'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: '${name}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${name}: ${rule.name}'
      description: rule.text
      enabled: true
      severity: rule.severity
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      // Tables come into being with their first line; until then the query would be refused.
      skipQueryValidation: true
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [people.id]
      }
    }
  }
]
