// Where logs go, and the workbook that answers an operator's questions.

@description('Name of the Log Analytics workspace.')
param workspaceName string

@description('Name of the Application Insights component.')
param componentName string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Days for which logs are kept. The first 30 cost nothing beyond their arrival.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Gigabytes of logs per day after which the rest of the day is dropped, failures included; -1 for no limit.')
@minValue(-1)
param dailyCapGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    retentionInDays: retentionDays
    sku: {
      name: 'PerGB2018'
    }
    workspaceCapping: {
      dailyQuotaGb: dailyCapGb
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    WorkspaceResourceId: workspace.id
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspace.id, 'skyblast')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: 'skyblast ${componentName}'
    serializedData: loadTextContent('../workbook.json')
    sourceId: toLower(workspace.id)
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id

@description('Name of the component.')
output componentName string = component.name

@description('Where telemetry is sent. Holds no secret: the component takes no keys.')
output connectionString string = component.properties.ConnectionString
