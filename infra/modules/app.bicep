// The function app on Flex Consumption: plan, site, settings, and who may sign in.

@description('Name of the plan.')
param planName string

@description('Name of the app, unique in the world: it becomes its address.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the app\'s identity.')
param identityId string

@description('Client id of the app\'s identity.')
param identityClientId string

@description('Where blobs are.')
param blobEndpoint string

@description('Where queues are.')
param queueEndpoint string

@description('Address of the container that the app is started from.')
param packageContainerUrl string

@description('Where telemetry is sent.')
param applicationInsightsConnectionString string

@description('Memory of an instance, megabytes.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('Most instances that a function may have.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('Requests that an instance answers at a time.')
@minValue(1)
@maxValue(1000)
param httpPerInstanceConcurrency int

@description('Instances that always wait for requests.')
@minValue(0)
@maxValue(100)
param httpAlwaysReady int

@description('Whether instances are spread over the zones of the region.')
param zoneRedundant bool

@description('Resource id of the subnet that the app joins; empty for none.')
param subnetId string

@description('Application (client) id of the app registration that people sign in to; empty for function keys alone.')
param signInClientId string

@description('Key of NCBI\'s URL API; empty for no such API.')
@secure()
param urlApiKey string

@description('Settings that follow from the size of an instance.')
param sizeSettings object

@description('Days for which a job is kept after its end.')
@minValue(1)
@maxValue(365)
param jobRetentionDays int

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

var signIn = !empty(signInClientId)
// The Azure CLI's own application, from which people get their tokens; the same in every tenant.
var azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
var registration = {
  clientId: signInClientId
  openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
}

var settings = {
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  // The host would keep its diagnostic events in a table, a third service with a role and an endpoint of its own;
  // they repeat what FunctionAppLogs has.
  AzureWebJobsFeatureFlags: 'DisableDiagnosticEventLogging'
  // At / is the page; a home page of the host's own would be in its place for other methods.
  AzureWebJobsDisableHomepage: 'true'
  AZURE_CLIENT_ID: identityClientId
  SKYBLAST_BLOB_ENDPOINT: blobEndpoint
  SKYBLAST_QUEUE_ENDPOINT: queueEndpoint
  SKYBLAST_LOG: 'info'
  // For estimates of time and price.
  SKYBLAST_INSTANCE_MB: string(instanceMemoryMB)
  SKYBLAST_INSTANCES: string(maximumInstanceCount)
  SKYBLAST_KEEP_JOBS: '${jobRetentionDays}d'
  // Who calls is believed only where the platform says it; see authentication below.
  SKYBLAST_SIGN_IN: signIn ? 'entra' : 'off'
  SKYBLAST_AUDIENCE: signIn ? 'api://${signInClientId}' : ''
  // Clients of NCBI's URL API cannot send a function key, so the program asks for this one.
  SKYBLAST_URL_API_KEY: urlApiKey
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    // Flex Consumption refuses most other properties of a site's configuration.
    siteConfig: {
      minTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'custom'
        version: '1.0'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: httpAlwaysReady == 0 ? [] : [{ name: 'http', instanceCount: httpAlwaysReady }]
        triggers: {
          http: {
            perInstanceConcurrency: httpPerInstanceConcurrency
          }
        }
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: union(settings, sizeSettings)
}

// Publishing is by identity only, never by a site's user name and password.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

// With sign-in, tokens of this tenant's users for the registration are checked before the app is reached.
// There is no browser flow, hence no client secret. Function keys are asked for as well. Without it the
// settings are written too, so that taking the parameter away takes the sign-in away.
resource authentication 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: signIn
    }
    globalValidation: {
      requireAuthentication: signIn
      unauthenticatedClientAction: signIn ? 'Return401' : 'AllowAnonymous'
      // The page holds nothing of anybody's: what it shows it asks the API for, with the token that its user gives it.
      excludedPaths: ['/', '/page/*', '/api/docs', '/api/health', '/api/openapi.json', '/api/shared', '/api/shared/*']
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: signIn
        registration: signIn ? registration : {}
        validation: {
          allowedAudiences: signIn ? [signInClientId, 'api://${signInClientId}'] : []
          defaultAuthorizationPolicy: {
            allowedApplications: signIn ? [signInClientId, azureCli] : []
          }
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: site
  name: 'logs'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: true
      }
    ]
  }
}

@description('Name of the app.')
output name string = site.name

@description('Address of the app, without a slash at the end.')
output url string = 'https://${site.properties.defaultHostName}'
