// The storage account: package, databases, jobs, queues. It takes no keys, only identities.

@description('Name of the account: 3 to 24 lower-case letters and digits, unique in the world.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('How data is kept: locally redundant, or over three zones of the region.')
@allowed(['Standard_LRS', 'Standard_ZRS'])
param redundancy string

@description('Whether the account answers only inside the virtual network.')
param privateNetwork bool

@description('Days after which the blobs of a job are deleted.')
@minValue(1)
@maxValue(400)
param blobRetentionDays int

@description('Days for which a deleted blob or container can be brought back.')
@minValue(1)
@maxValue(365)
param softDeleteDays int = 7

@description('Whether changes to blobs and queues are logged. One line per write: a fan-out makes many.')
param logChanges bool

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

// The names are those of the binary; tests/infra.rs compares them.
var containers = [
  'app-package'
  'databases'
  'jobs'
]
var queues = [
  'plans'
  'plans-poison'
  'shards'
  'shards-poison'
  'own-shards'
  'merges'
  'merges-poison'
  'finishes'
  'finishes-poison'
]
var changes = [
  {
    category: 'StorageWrite'
    enabled: true
  }
  {
    category: 'StorageDelete'
    enabled: true
  }
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for containerName in containers: {
    parent: blobs
    name: containerName
    properties: {
      publicAccess: 'None'
    }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

// The host would make the poison queues itself, but only when it first needs one.
resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for queueName in queues: {
    parent: queueService
    name: queueName
  }
]

// The policy runs about once a day: a job may outlive its date by a day or two.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'expire-jobs'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: ['jobs/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: blobRetentionDays
                }
              }
            }
          }
        }
      ]
    }
  }
  dependsOn: [
    blobs
  ]
}

resource blobChanges 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logChanges) {
  scope: blobs
  name: 'changes'
  properties: {
    workspaceId: workspaceId
    logs: changes
  }
}

resource queueChanges 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logChanges) {
  scope: queueService
  name: 'changes'
  properties: {
    workspaceId: workspaceId
    logs: changes
  }
}

@description('Resource id.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('Where blobs are, with a slash at the end.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('Where queues are, with a slash at the end.')
output queueEndpoint string = account.properties.primaryEndpoints.queue

@description('Address of the container that the app is started from.')
output packageContainerUrl string = '${account.properties.primaryEndpoints.blob}${container[0].name}'
