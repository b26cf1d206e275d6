// A mail when the month is going to cost more than planned. It stops nothing: the brakes are the number of
// instances and the size of a job.

@description('Name of the budget.')
param name string

@description('Amount per month, in the currency of the subscription.')
@minValue(1)
param amount int

@description('First day of a month, as yyyy-MM-dd; not before the current month.')
param start string

@description('Who gets the mail.')
param email string

resource budget 'Microsoft.Consumption/budgets@2026-06-01' = {
  name: name
  properties: {
    amount: amount
    category: 'Cost'
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: start
    }
    notifications: {
      spent80: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: [email]
      }
      forecast100: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: [email]
      }
    }
  }
}
