// Everything that skyblast needs in Azure: one resource group, one deployment.
//
// Written in the part of Bicep that offline tools read too: no typed arrays, nullable types, lambdas or
// registry modules. tests/infra.rs says what else must hold.

targetScope = 'resourceGroup'

@description('First part of every name: lower-case letters and digits.')
@minLength(3)
@maxLength(10)
param workload string = 'skyblast'

@description('Second part of every name; prod keeps its data in three zones.')
@allowed(['dev', 'test', 'prod'])
param stage string = 'dev'

@description('Region. It must offer Flex Consumption.')
param location string = resourceGroup().location

@description('Memory of an instance, megabytes. Cores come with it: a quarter, one, two. Not every region has 512.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 4096

@description('Most instances that a function may have. A region\'s quota is 250 cores unless raised: 100 of 4096 MB use 200.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Requests that an instance answers at a time. The more there are, the shorter each may be.')
@minValue(1)
@maxValue(1000)
param httpPerInstanceConcurrency int = 16

@description('Instances that always wait for requests. They cost money day and night; 0 scales to nothing.')
@minValue(0)
@maxValue(100)
param httpAlwaysReady int = 0

@description('Days for which a job is kept after its end, report included.')
@minValue(1)
@maxValue(365)
param jobRetentionDays int = 14

@description('Whether storage answers only inside a virtual network. Databases must then be uploaded from within.')
param privateNetwork bool = false

@description('First three numbers of the virtual network\'s addresses; used with privateNetwork.')
@minLength(5)
@maxLength(11)
param networkPrefix string = '10.60.0'

@description('Whether instances are spread over the zones of the region; not every region can.')
param zoneRedundant bool = false

@description('Object id of the user or group that uploads databases and looks after jobs; empty for none.')
param operatorPrincipalId string = ''

@description('What operatorPrincipalId is.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string = 'User'

@description('Application (client) id of an app registration of this tenant; whoever uses the API must then sign in. Empty for function keys alone.')
param signInClientId string = ''

@description('Key of NCBI\'s URL API (/Blast.cgi), 16 characters or more; its clients send it as the password of the user blast. Empty for no such API.')
@secure()
param urlApiKey string = ''

@description('Address for alerts and the budget; empty for neither.')
param alertEmail string = ''

@description('Age in hours from which an unfinished job is worth a mail.')
@minValue(1)
@maxValue(720)
param oldJobHours int = 12

@description('Budget per month in the currency of the subscription; 0 for none.')
@minValue(0)
param monthlyBudget int = 0

@description('First day of the budget. Leave it: only here can the date of the day be asked for.')
param budgetStart string = utcNow('yyyy-MM-01')

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Gigabytes of logs per day after which the rest of the day is dropped, failures included; -1 for no limit.')
@minValue(-1)
param logDailyCapGb int = 5

@description('Whether every change to blobs and queues is logged. A fan-out makes many, which can cost more than the storage.')
param logStorageChanges bool = false

@description('Further tags of every resource.')
param extraTags object = {}

var token = uniqueString(resourceGroup().id, workload, stage)
var name = '${workload}-${stage}'
var ownTags = {
  workload: workload
  stage: stage
}
var tags = union(ownTags, extraTags)
var alerts = !empty(alertEmail)
// Names that others are made of. Not outputs: those are known only when something has been deployed, and what
// would change could not be said before.
var identityName = 'id-${name}-${token}'
var componentName = 'appi-${name}-${token}'
var storageName = take('st${workload}${stage}${token}', 24)
var networkName = 'vnet-${name}-${token}'

// What fits beside the Functions host (272 MB on top of the instance's memory are its own). A volume is held in
// memory while it is searched; the cache keeps as many as its limit says, and always the one in use. What would take
// more than SKYBLAST_MEMORY is refused before it is begun. Chunks
// are cut to about 100 core-seconds by default; a quarter of a core needs smaller ones to stay within minutes.
// Hits are held in about four places, in each up to SKYBLAST_ROOM (64 MiB by default); the rest goes to temporary files.
var sizes = {
  '512': {
    volumeSize: '64MiB'
    settings: {
      SKYBLAST_MEMORY: '448MiB'
      SKYBLAST_VOLUME_CACHE: '64MiB'
      SKYBLAST_CHUNK_RESIDUES: '10000'
      SKYBLAST_ROOM: '24MiB'
    }
    bodies: 64000000
  }
  '2048': {
    volumeSize: '128MiB'
    settings: {
      SKYBLAST_MEMORY: '1920MiB'
      SKYBLAST_VOLUME_CACHE: '512MiB'
    }
    bodies: 256000000
  }
  '4096': {
    volumeSize: '256MiB'
    settings: {
      SKYBLAST_MEMORY: '3840MiB'
      SKYBLAST_VOLUME_CACHE: '1GiB'
    }
    bodies: 512000000
  }
}
var size = sizes[string(instanceMemoryMB)]
// The host takes 5.5 bytes of memory for each byte of a body, and has httpPerInstanceConcurrency of them at a
// time: together bodies may have so many bytes as the size says. The host's own limit is a little higher, so that
// the refusal is the program's, which says what to do. Longer queries are uploaded straight to storage.
var bodyLimit = min(100000000, size.bodies / httpPerInstanceConcurrency)
var bodySettings = {
  SKYBLAST_BODY_LIMIT: string(bodyLimit)
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(bodyLimit + bodyLimit / 20)
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: identityName
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: 'log-${name}-${token}'
    componentName: componentName
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: storageName
    location: location
    tags: tags
    redundancy: stage == 'prod' ? 'Standard_ZRS' : 'Standard_LRS'
    privateNetwork: privateNetwork
    // The program removes jobs by itself; this is for what it may have left.
    blobRetentionDays: jobRetentionDays + 30
    logChanges: logStorageChanges
    workspaceId: monitoring.outputs.workspaceId
  }
}

module access 'modules/access.bicep' = {
  name: 'access'
  params: {
    storageName: storageName
    componentName: componentName
    appIdentityName: identityName
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
  }
  dependsOn: [
    monitoring
    storage
  ]
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    name: networkName
    location: location
    tags: tags
    networkPrefix: networkPrefix
    storageName: storageName
  }
  dependsOn: [
    storage
  ]
}

// Last: an app that starts before its roles are there would fail for minutes.
module app 'modules/app.bicep' = {
  name: 'app'
  params: {
    planName: 'plan-${name}-${token}'
    name: 'func-${name}-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    packageContainerUrl: storage.outputs.packageContainerUrl
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpPerInstanceConcurrency: httpPerInstanceConcurrency
    httpAlwaysReady: httpAlwaysReady
    zoneRedundant: zoneRedundant
    subnetId: privateNetwork ? resourceId('Microsoft.Network/virtualNetworks/subnets', networkName, 'app') : ''
    signInClientId: signInClientId
    urlApiKey: urlApiKey
    sizeSettings: union(size.settings, bodySettings)
    jobRetentionDays: jobRetentionDays
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [
    access
    network
  ]
}

module alert 'modules/alerts.bicep' = if (alerts) {
  name: 'alerts'
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    oldJobHours: oldJobHours
  }
}

module budget 'modules/budget.bicep' = if (alerts && monthlyBudget > 0) {
  name: 'budget'
  params: {
    name: name
    // The compiler does not see that the condition excludes 0.
    amount: max(monthlyBudget, 1)
    start: budgetStart
    email: alertEmail
  }
}

@description('Name of the function app.')
output appName string = app.outputs.name

@description('Address of the API, without a slash at the end.')
output appUrl string = app.outputs.url

@description('Name of the storage account.')
output storageName string = storage.outputs.name

@description('Where blobs are.')
output blobEndpoint string = storage.outputs.blobEndpoint

@description('Where queues are.')
output queueEndpoint string = storage.outputs.queueEndpoint

@description('Client id of the identity.')
output identityClientId string = identity.outputs.clientId

@description('Volumes of databases should not be larger, so that they fit the instances.')
output volumeSize string = size.volumeSize
