// The identity that the function app uses for everything: triggers, blobs, telemetry, its own package.

@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id.')
output id string = identity.id

@description('Object id, which roles are given to.')
output principalId string = identity.properties.principalId

@description('Client id, which libraries choose the identity by.')
output clientId string = identity.properties.clientId
