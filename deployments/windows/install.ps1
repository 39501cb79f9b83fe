#Requires -Version 5.1
<#
.SYNOPSIS
Makes Tonspur's server, engine and worker scheduled tasks of the user who calls this.
.DESCRIPTION
May be called any number of times; what is there is replaced. -WhatIf shows what it would do.
See README.md beside it.
.PARAMETER Python
The python.exe that Tonspur is installed in. Default: .venv\Scripts\python.exe in the checkout.
.PARAMETER AtStartup
Start with Windows and run without anybody logged on. No password is stored, so that network
shares cannot be reached. Needs an elevated PowerShell.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string]$Python = '',
    [switch]$AtStartup
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
. (Join-Path $PSScriptRoot 'parts.ps1')

$identity = [Security.Principal.WindowsIdentity]::GetCurrent()
$desktopUser = (Get-CimInstance -ClassName Win32_ComputerSystem).UserName
if ($desktopUser -and ($desktopUser -ne $identity.Name)) {
    throw "This is $($identity.Name), but the desktop is $desktopUser's: call it as that user."
}

$interpreter = Find-Python $Python
$windowless = Join-Path (Split-Path -Parent $interpreter) 'pythonw.exe'
$state = Get-StateFolder $interpreter

if (-not (Test-Path -LiteralPath (Join-Path $Root '.env'))) {
    Write-Warning "There is no .env in ${Root}: everything has its default. See .env.example."
}
if (-not (Test-Path -LiteralPath $state) -and $PSCmdlet.ShouldProcess($state, 'Make the folder')) {
    New-Item -ItemType Directory -Path $state -Force | Out-Null
}
$user = $identity.User.Value
foreach ($secret in @((Join-Path $Root '.env'), (Join-Path $Root 'YT_API_keys.txt'), $state)) {
    Protect-Path $secret $user
}

Stop-Part $interpreter

$often = New-TimeSpan -Minutes 1
if ($AtStartup) {
    $begin = New-ScheduledTaskTrigger -AtStartup
    $logon = 'S4U'
} else {
    $begin = New-ScheduledTaskTrigger -AtLogOn -User $identity.Name
    $logon = 'Interactive'
}
# Windows' own restart is for tasks that could not be started; this one looks every minute, and
# does nothing while the task runs.
$look = New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval $often
$principal = New-ScheduledTaskPrincipal -UserId $identity.Name -LogonType $logon -RunLevel Limited
$settings = @{
    MultipleInstances          = 'IgnoreNew'
    ExecutionTimeLimit         = [TimeSpan]::Zero   # none
    RestartCount               = 255
    RestartInterval            = $often
    StartWhenAvailable         = $true
    AllowStartIfOnBatteries    = $true
    DontStopIfGoingOnBatteries = $true
    Priority                   = 5                  # that of a program; a task's own is below it
}
foreach ($part in $Parts) {
    if (-not $PSCmdlet.ShouldProcess("$TaskPath$part", 'Register the scheduled task')) { continue }
    $action = @{
        Execute          = $windowless
        Argument         = "-P -X utf8 -m deployments.hidden $part"
        WorkingDirectory = $Root                    # .env is read from there
    }
    $task = @{
        Action      = New-ScheduledTaskAction @action
        Trigger     = @($begin, $look)
        Principal   = $principal
        Settings    = New-ScheduledTaskSettingsSet @settings
        Description = "tonspur $part, without a window; see deployments\windows\README.md"
    }
    $made = New-ScheduledTask @task
    Register-ScheduledTask -TaskPath $TaskPath -TaskName $part -InputObject $made -Force | Out-Null
}
Start-Part
if (-not $WhatIfPreference) {
    Write-Output "Tonspur runs. What it says: $(Join-Path $state 'logs')"
}
